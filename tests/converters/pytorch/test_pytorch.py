"""A ReActNet that litert-torch exported: every binary convolution becomes binary, and equals what PyTorch computed."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, load_delegate

from mobile_bnn.converters.graph import TfliteModel
from mobile_bnn.converters.lowering import Lowering, lower
from mobile_bnn.converters.probe import interpreter
from mobile_bnn.runtime import library_path

HERE = Path(__file__).parent
Lowered = tuple[TfliteModel, Lowering]


@pytest.fixture(scope="module")
def lowered() -> Lowered:
    model = TfliteModel.read(HERE / "reactnet.tflite")
    return model, lower(model.graphs[0])


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.load(HERE / "reactnet.npz")["images"]


@pytest.fixture(scope="module")
def outputs() -> np.ndarray:
    """What PyTorch made of the images."""
    return np.load(HERE / "reactnet.npz")["outputs"]


def test_every_binary_convolution_is_binary(lowered: Lowered) -> None:
    model, layers = lowered[0], lowered[1].layers
    assert [layer.binary for layer in layers] == [False] + [True] * 5 + [False]
    assert [layer.asked for layer in layers] == [layer.binary for layer in layers]
    assert [layer.name for layer in layers[:2]] == [
        "Sequential_stem/Conv2d_0",
        "Sequential_blocks/Half_0/BinaryConv2d_0",
    ]
    kinds = [operator.kind for operator in model.graphs[0].operators]
    assert kinds.count("LceBconv2d") == 5
    assert kinds.count("LceQuantize") == 4  # the two of a duplicated shortcut share one
    assert kinds.count("PRELU") == 4
    assert kinds.count("TRANSPOSE") == 1  # of the image
    assert not {"GREATER_EQUAL", "SELECT_V2", "RELU"} & set(kinds)
    assert len(model.write()) < (HERE / "reactnet.tflite").stat().st_size / 4


def test_lces_interpreter_equals_pytorch(lowered: Lowered, images: np.ndarray, outputs: np.ndarray) -> None:
    np.testing.assert_allclose(interpreter(lowered[0].write()).predict(images), outputs, rtol=1e-5, atol=1e-5)
    assert outputs.std(0).min() > 0.01  # or else the tolerance would hide an error


def test_our_library_equals_pytorch(lowered: Lowered, images: np.ndarray, outputs: np.ndarray) -> None:
    runner = Interpreter(
        model_content=lowered[0].write(), experimental_delegates=[load_delegate(str(library_path()), {})]
    )
    runner.allocate_tensors()
    for image, output in zip(images, outputs, strict=True):
        runner.set_tensor(runner.get_input_details()[0]["index"], image[None])
        runner.invoke()
        ours = runner.get_tensor(runner.get_output_details()[0]["index"])
        np.testing.assert_allclose(ours[0], output, rtol=1e-5, atol=1e-5)
