"""The editable view of a .tflite file: whatever is read and written again computes the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.schema_py_generated import ModelT
from float_files import to_float
from litert_runs import run, run_outputs

from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.runtime.flatbuffer import read_model
from mobile_bnn.typing import KerasTensor


def loop(x: KerasTensor) -> KerasTensor:
    return tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * 1.5 - 0.25), [0, x])[1]


def network(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    generator = np.random.default_rng(0)
    weights = tf.constant(generator.normal(size=(3, 3, 4, 8)), tf.float32)
    y = tf.nn.relu(tf.nn.conv2d(x, weights, 2, "SAME"))
    return tf.nn.softmax(tf.reshape(y, (1, -1))), tf.reduce_max(y, axis=(1, 2))


@pytest.mark.parametrize(
    ("function", "shapes", "options"),
    [
        (network, [(1, 6, 6, 4)], {}),
        (network, [(1, 6, 6, 4)], {"optimizations": [tf.lite.Optimize.DEFAULT]}),
        (loop, [(2, 3)], {}),  # several subgraphs
        (lambda x, y: (x @ y, x + 1, x), [(3, 3), (3, 3)], {}),  # an input that is an output
        (lambda x: tf.split(x, 3, -1)[1], [(2, 9)], {}),
    ],
)
def test_a_round_trip_computes_the_same_bits(
    function: Callable[..., KerasTensor], shapes: list[tuple[int, ...]], options: dict[str, object]
) -> None:
    flatbuffer = to_float(function, *shapes, **options)
    inputs = [np.random.default_rng(i).normal(size=shape).astype(np.float32) for i, shape in enumerate(shapes)]
    written = TfliteModel.read(flatbuffer).write()
    for ours, theirs in zip(run_outputs(written, *inputs), run_outputs(flatbuffer, *inputs), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert TfliteModel.read(written).write() == written


def test_signatures_and_metadata_stay(tmp_path: Path) -> None:
    module = tf.Module()
    module.f = tf.function(lambda left, right: {"sum": left + right, "product": left * right})
    signature = module.f.get_concrete_function(tf.TensorSpec((2,), name="left"), tf.TensorSpec((2,), name="right"))
    tf.saved_model.save(module, str(tmp_path), signatures={"arithmetic": signature})
    flatbuffer = bytes(tf.lite.TFLiteConverter.from_saved_model(str(tmp_path)).convert())
    written = TfliteModel.read(flatbuffer).write()
    runner = Interpreter(model_content=written).get_signature_runner("arithmetic")
    result = runner(left=np.float32([2, 3]), right=np.float32([5, 7]))
    np.testing.assert_array_equal(result["sum"], [7, 10])
    np.testing.assert_array_equal(result["product"], [10, 21])

    def metadata(model: ModelT) -> dict[bytes, bytes]:
        return {entry.name: bytes(model.buffers[entry.buffer].data) for entry in model.metadata}

    assert metadata(read_model(written)) == metadata(read_model(flatbuffer)) != {}


def test_equal_constants_share_a_buffer_and_dead_ones_go() -> None:
    matrix = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
    flatbuffer = to_float(lambda x: (x + matrix) * tf.abs(x - matrix), (1, 64))
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    values = [tensor.values for tensor in graph.tensors() if tensor.values is not None]
    assert any(np.array_equal(value, matrix) for value in values)
    copy = Tensor.constant("copy", matrix)
    graph.outputs.append(copy)
    assert len(model.write()) < len(flatbuffer) + matrix.nbytes
    # Only the input is left to give.
    graph.outputs = list(graph.inputs)
    graph.signatures.clear()
    graph.remove_dead()
    assert not graph.operators
    assert len(model.write()) < len(flatbuffer) - matrix.nbytes


def test_rewriting_an_operator() -> None:
    flatbuffer = to_float(lambda x: tf.nn.relu(x) * 3.0, (1, 4))
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    multiply = next(operator for operator in graph.operators if operator.op_type == "MUL")
    negated, factor = (
        Tensor.of("negated", multiply.output.shape, np.float32),
        Tensor.constant("factor", np.float32([-2])),
    )
    options = schema.MulOptionsT()
    new = Operator.builtin("MUL", [multiply.inputs[0], factor], [negated], options)
    graph.insert_before(multiply, new)
    graph.replace(multiply.output, negated)
    graph.remove_dead()
    assert multiply not in graph.operators
    assert graph.producer(negated) is new
    assert graph.consumers(factor) == [new]
    x = np.float32([[-1, 0, 2, 3]])
    np.testing.assert_array_equal(run(model.write(), x), np.maximum(x, 0) * -2)


def test_a_custom_operators_options(binary_tflite: Path) -> None:
    model = TfliteModel.read(binary_tflite)
    before, after = (
        [operator.custom_options for operator in each.graphs[0].operators if operator.op_type == "LceBconv2d"]
        for each in (model, TfliteModel.read(model.write()))
    )
    assert [options["channels_in"] for options in before] == [32, 64]
    assert after == before
    new = Operator.custom("LceQuantize", [], [], {"answer": 42})
    assert new.custom_options == {"answer": 42}


@pytest.mark.parametrize("length", [0, 3, 8, 100, -1, -40])
def test_truncated_files_are_refused(length: int, binary_tflite: Path) -> None:
    with pytest.raises(MobileBnnError, match=r"is empty|is not a \.tflite file|is truncated or malformed"):
        TfliteModel.read(binary_tflite.read_bytes()[:length])


def test_whatever_is_shown_is_a_line(binary_tflite: Path) -> None:
    model = TfliteModel.read(binary_tflite)
    (graph,) = model.graphs
    filters = next(operator.inputs[1] for operator in graph.operators if operator.op_type == "LceBconv2d")
    assert repr(filters) == f"Constant({filters.name!r}, [64, 3, 3, 1] of int32)"
    assert repr(graph.inputs[0]).endswith(", [1, 8, 8, 32] of float32)")
    for shown in (model, graph, *graph.operators):
        assert len(repr(shown)) < 600
        assert "\n" not in repr(shown)


def test_a_constant_whose_shape_lies() -> None:
    tensor = Tensor.constant("weights", np.zeros((2, 3), np.float32))
    tensor.table.shape = [2, 4]
    with pytest.raises(MobileBnnError, match=r"constant weights has 24 bytes: .*\[2, 4\] of float32"):
        _ = tensor.values


def test_quantization_that_says_nothing_goes() -> None:
    flatbuffer = to_float(lambda x: x + 1.5, (1, 4))
    assert any(tensor.quantization is not None for tensor in read_model(flatbuffer).subgraphs[0].tensors)
    model = TfliteModel.read(flatbuffer)
    model.graphs[0].outputs[0].table.quantization = schema.QuantizationParametersT()
    model.graphs[0].outputs[0].table.quantization.max = [6.0]
    told = [tensor.quantization for tensor in read_model(model.write()).subgraphs[0].tensors]
    assert [None if one is None else list(one.max) for one in told] == [None, None, [6.0]]


def test_equal_constants_are_one_tensor_unless_they_are_quantized() -> None:
    (graph,) = TfliteModel.read(to_float(lambda x: x + 1.5, (1, 4))).graphs
    constants = [Tensor.constant(name, np.ones(4, np.float32)) for name in ("one", "another", "scaled", "longer")]
    constants[2].table.quantization = schema.QuantizationParametersT()
    constants[3].table.shape = [1, 4]
    for constant in constants:
        output = Tensor.of(f"after {constant.name}", (1, 4), np.float32)
        graph.append(Operator.builtin("ADD", [graph.outputs[0], constant], [output], schema.AddOptionsT()))
        graph.outputs[0] = output
    graph.signatures = []
    written = TfliteModel.of(graph).write()
    names = [tensor.name for tensor in TfliteModel.read(written).graphs[0].tensors() if tensor.content is not None]
    assert [name for name in names if name in ("one", "another", "scaled", "longer")] == ["one", "scaled", "longer"]
    result = run(written, np.zeros((1, 4), np.float32))
    np.testing.assert_array_equal(result, np.full((1, 4), 5.5))
