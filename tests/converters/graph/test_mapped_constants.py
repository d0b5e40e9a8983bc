"""Large constants that are written straight into a file, and are mapped from it afterwards."""

import gc
import weakref
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.verification.runners import float_runner
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array, KerasTensor

SIZES = [(96, 200), (200, 167), (167, 3)]  # the third is small; the second ends on no multiple of 16 bytes


def matrices() -> list[Array]:
    generator = np.random.default_rng(0)
    return [generator.normal(size=size).astype(np.float32) for size in SIZES]


def network(x: KerasTensor) -> KerasTensor:
    for matrix in matrices():
        x = tf.nn.relu(x @ tf.constant(matrix))
    return x


def constants(graph: Graph) -> list[Tensor]:
    found = [tensor for tensor in graph.tensors() if tensor.content is not None and tensor.content.size > 2**16]
    assert len(found) == 2
    return found


@pytest.fixture
def flatbuffer() -> bytes:
    return to_float(network, (4, 96))


def test_the_file_is_the_same_model(flatbuffer: bytes, tmp_path: Path) -> None:
    path = tmp_path / "apart.tflite"
    with path.open("w+b") as file:
        TfliteModel.read(flatbuffer).write_mapped(file)
    x = np.random.default_rng(1).normal(size=(4, 96)).astype(np.float32)
    expected = run(flatbuffer, x)
    np.testing.assert_array_equal(run(TfliteModel.read(path).write(), x), expected)
    np.testing.assert_array_equal(run(path.read_bytes(), x), expected)
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]), expected)


def test_the_memory_is_let_go_by_every_graph_that_shares_it(flatbuffer: bytes) -> None:
    model = TfliteModel.read(flatbuffer)
    for tensor in constants(model.graphs[0]):
        values = tensor.values
        assert values is not None
        tensor.set_values(values.copy())
    copy = model.copy()
    # A view, as a rewrite makes one that changes a shape only.
    (first, *_), (same, *_) = constants(model.graphs[0]), constants(copy.graphs[0])
    values = same.values
    assert values is not None
    same.set_values(values)
    assert same.content is not first.content
    owners = [tensor.content.base for tensor in constants(model.graphs[0]) if tensor.content is not None]
    alive = [weakref.ref(owner) for owner in owners]
    before = [np.array(tensor.values) for tensor in constants(model.graphs[0])]
    del owners, values, first, same
    with TemporaryFile() as file:
        model.write_mapped(file, [*model.graphs, *copy.graphs])
    gc.collect()
    assert [reference() for reference in alive] == [None, None]
    for graph in (*model.graphs, *copy.graphs):
        for tensor, expected in zip(constants(graph), before, strict=True):
            tensor.release()
            np.testing.assert_array_equal(tensor.values, expected)


def test_a_graph_can_be_run_again_from_what_was_mapped(flatbuffer: bytes) -> None:
    model = TfliteModel.read(flatbuffer)
    x = np.random.default_rng(1).normal(size=(4, 96)).astype(np.float32)
    first = float_runner(model, model.graphs)
    (once,), (twice,) = first.run([x]), float_runner(model, model.graphs).run([x])
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_allclose(once, run(flatbuffer, x), rtol=1e-5, atol=1e-5)
