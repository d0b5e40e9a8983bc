"""A ReActNet that litert-torch exported: every binary convolution becomes binary, and equals what PyTorch computed."""

from pathlib import Path

import numpy as np
import pytest
from litert_runs import run

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Lowering, lower
from mobile_bnn.converters.verification.lce_interpreter import interpreter

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
    assert [layer.declared for layer in layers] == [layer.binary for layer in layers]
    assert [layer.name for layer in layers[:2]] == [
        "Sequential_stem/Conv2d_0",
        "Sequential_blocks/Half_0/BinaryConv2d_0",
    ]
    kinds = [operator.op_type for operator in model.graphs[0].operators]
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
    flatbuffer = lowered[0].write()
    ours = [run(flatbuffer, image[None], library=True)[0] for image in images]
    np.testing.assert_allclose(ours, outputs, rtol=1e-5, atol=1e-5)
