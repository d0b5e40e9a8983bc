"""Samples of several inputs are in the order of the signature, as `Interpreter.predict` takes them."""

from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.graph.model import Graph, Signature, Tensor
from mobile_bnn.converters.verification.input_order import in_graph_order, in_signature_order, signature_order
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasTensor, Options

GENERATOR = np.random.default_rng(0)
SIGNS = np.sign(GENERATOR.normal(size=(32, 8))).astype(np.float32)
MATRIX = GENERATOR.normal(size=(64, 16)).astype(np.float32)
ALPHA, ZULU = (GENERATOR.normal(size=(20, size)).astype(np.float32) for size in (32, 64))


class Module(tf.Module):  # type: ignore[misc]
    """Its function takes zulu first; TensorFlow sorts the names of a signature."""

    @tf.function(input_signature=[tf.TensorSpec((1, 64), name="zulu"), tf.TensorSpec((1, 32), name="alpha")])  # type: ignore[untyped-decorator]
    def __call__(self, zulu: KerasTensor, alpha: KerasTensor) -> dict[str, KerasTensor]:
        return {"binary": tf.matmul(larq.math.sign(alpha), SIGNS), "float": tf.matmul(zulu, MATRIX)}


OPTIONS: dict[str, Options] = {
    "plain": {},
    "float weights": {"float_weights": "int8"},
    "int8": {"int8": converters.Int8([ALPHA, ZULU])},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
def test_samples_are_in_the_order_of_the_signature(tmp_path: Path, options: Options) -> None:
    tf.saved_model.save(Module(), str(tmp_path / "saved"))
    source = converters.Source.load(tmp_path / "saved")
    assert signature_order(source.model.graphs[0]) == [1, 0]  # or this test would show nothing
    converters.convert(source, tmp_path / "m.tflite", samples=[ALPHA, ZULU], **options)
    converters.convert(source, tmp_path / "m.tflite", **options)  # on samples of its own
    with pytest.raises(UsageError, match=r"takes inputs \[N, 32\] and \[N, 64\], the samples are \[N, 64\] and"):
        converters.convert(source, tmp_path / "m.tflite", samples=[ZULU, ALPHA], **options)
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        assert interpreter.input_names == ["alpha", "zulu"]
        binary, floats = interpreter.predict([ALPHA[:1], ZULU[:1]])
    np.testing.assert_allclose(binary, np.where(ALPHA[:1] >= 0, 1, -1) @ SIGNS, atol=1)
    np.testing.assert_allclose(floats, ZULU[:1] @ MATRIX, atol=1)


def test_both_ways_are_each_others_opposite() -> None:
    tensors = [Tensor.of(name, (1,), np.float32) for name in "xyz"]
    x, y, z = tensors
    graph = Graph("main", tensors, [x], [])
    assert in_graph_order(graph, "abc") == in_signature_order(graph, "abc") == ["a", "b", "c"]
    graph.signatures = [Signature("other", {"z": z}, {"x": x}), Signature("all", {"z": z, "x": x, "y": y}, {"x": x})]
    assert in_signature_order(graph, "xyz") == ["z", "x", "y"]
    assert in_graph_order(graph, "zxy") == ["x", "y", "z"]
    assert in_graph_order(graph, "zx") == ["z", "x"]  # which is refused by who counts them
