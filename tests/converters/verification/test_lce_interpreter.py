"""LCE's interpreter in a process of its own: the same results, and its crashes and refusals as errors of ours."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.verification.instrument import LceRunner
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.errors import MobileBnnError

IMAGES = np.random.default_rng(0).normal(size=(3, 6, 6, 64)).astype(np.float32)
GENERATOR = np.random.default_rng(1)


def convolution(*, packed: bool = False, groups: int = 1, pad_values: int = 0, kind: str = "LceBconv2d") -> bytes:
    """LceQuantize and a convolution with padding; LCE does not check that it can write bits where it pads with 0."""
    image, words = Tensor.of("image", (1, 6, 6, 64), np.float32), Tensor.of("words", (1, 6, 6, 2), np.int32)
    constants: list[np.ndarray | None] = [
        GENERATOR.integers(-(2**31), 2**31, (64, 3, 3, 2 // groups)).astype(np.int32),
        *((None, None) if packed else (np.ones(64, np.float32), np.zeros(64, np.float32))),
        np.full(64, 100, np.int32) if packed else None,
    ]
    inputs = [None if values is None else Tensor.constant(str(i), values) for i, values in enumerate(constants)]
    options = dict.fromkeys(("dilation_height_factor", "dilation_width_factor", "stride_height", "stride_width"), 1) | {
        "channels_in": 64,
        "fused_activation_function": 0,
        "padding": 0,
        "pad_values": pad_values,
    }
    output = Tensor.of("output", (1, 6, 6, 2 if packed else 64), np.int32 if packed else np.float32)
    operators = [
        Operator.custom("LceQuantize", [image], [words]),
        Operator.custom(kind, [words, *inputs], [output], options),
    ]
    return TfliteModel.of(Graph("main", [image], [output], operators)).write()


def expected(flatbuffer: bytes, **options: bool) -> np.ndarray:
    """What LCE's own class gives, which loads TensorFlow: with Keras 2, or no other test could use Larq."""
    import_module("mobile_bnn.legacy_keras")
    import larq_compute_engine as lce

    return np.asarray(lce.testing.Interpreter(flatbuffer, **options).predict(IMAGES))


@pytest.mark.parametrize("flatbuffer", [convolution(), convolution(packed=True, pad_values=1)], ids=["float", "bits"])
def test_it_gives_what_lces_own_class_gives(flatbuffer: bytes) -> None:
    (output,) = LceRunner(flatbuffer).run([IMAGES])
    np.testing.assert_array_equal(output, expected(flatbuffer))
    np.testing.assert_array_equal(output, interpreter(flatbuffer).predict(IMAGES))


def test_groups_run_in_the_reference_kernel() -> None:
    flatbuffer = convolution(groups=2)
    (output,) = LceRunner(flatbuffer).run([IMAGES])
    np.testing.assert_array_equal(output, expected(flatbuffer, use_reference_bconv=True))


@pytest.mark.filterwarnings("ignore")
def test_groups_and_zeros_around_odd_channels_run_in_the_indirect_kernel(tmp_path: Path) -> None:
    """The default kernel refuses the former, the reference kernel the latter."""
    from mobile_bnn import converters
    from mobile_bnn.legacy_keras import larq, tf

    sign = {"input_quantizer": "ste_sign", "padding": "same"}
    stack = [
        tf.keras.layers.Input((6, 6, 3)),
        larq.layers.QuantConv2D(64, 3, kernel_quantizer="ste_sign", **sign),
        larq.layers.QuantDepthwiseConv2D(3, pad_values=1.0, depthwise_quantizer="ste_sign", **sign),
    ]
    model = tf.keras.Sequential(stack)
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert len(conversion.layers) == 2
    images = IMAGES[..., :3]
    (output,) = LceRunner((tmp_path / "m.tflite").read_bytes()).run([images])
    np.testing.assert_allclose(output, model.predict(images, verbose=0), atol=1e-5)


def test_several_inputs_and_outputs() -> None:
    tensors = {name: Tensor.of(name, (1, 2, 3), np.float32) for name in ("left", "right", "sum", "product")}
    left, right, total, product = tensors.values()
    operators = [
        Operator.builtin("ADD", [left, right], [total], schema.AddOptionsT()),
        Operator.builtin("MUL", [left, right], [product], schema.MulOptionsT()),
    ]
    flatbuffer = TfliteModel.of(Graph("main", [left, right], [total, product], operators)).write()
    a, b = GENERATOR.normal(size=(2, 4, 2, 3)).astype(np.float32)
    outputs = LceRunner(flatbuffer).run([a, b])
    np.testing.assert_array_equal(outputs, [a + b, a * b])


def test_a_file_on_which_lce_crashes_is_an_error() -> None:
    message = r"^LCE's interpreter crashed while it ran the file: its process was ended by SIG(SEGV|ABRT)"
    with pytest.raises(MobileBnnError, match=message):
        LceRunner(convolution(packed=True)).run([IMAGES])


def test_a_file_that_lce_refuses() -> None:
    message = r"^LCE's interpreter refuses the file: ERROR: Encountered unresolved custom op: Theirs\."
    for run in (lambda file: interpreter(file), lambda file: LceRunner(file).run([IMAGES])):
        with pytest.raises(MobileBnnError, match=message):
            run(convolution(kind="Theirs"))


def test_neither_process_loads_tensorflow() -> None:
    program = """
import sys
from mobile_bnn.converters.verification.lce_interpreter import interpreter
try:
    interpreter(b"no file")
except Exception as error:
    assert "LCE's interpreter refuses the file" in str(error), error
assert "tensorflow" not in sys.modules
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
