"""What a model is converted from stays as it is: it can be linted and converted any number of times."""

from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.conversion import Int8
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.lce_converter import to_binary
from mobile_bnn.converters.source import Source
from mobile_bnn.converters.storage.edge_quantizer import EdgeQuantizer
from mobile_bnn.converters.storage.float_weights import float_weights
from mobile_bnn.converters.storage.int8 import quantize_int8
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.reference import FloatFile, KerasReference
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor, Options, Quantizer

REACTNET = Path(__file__).parent / "pytorch" / "reactnet.tflite"
SAMPLES = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 32)).astype(np.float32)
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}


@pytest.fixture(scope="module")
def model() -> tf.keras.Model:
    """Float, binary, float: with something for each option, and an activation that LCE fuses."""
    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 32)),
            layers.Conv2D(32, 3, name="stem"),
            layers.BatchNormalization(),
            larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name="conv", **SIGN),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(10, name="head"),
        ]
    )


def sources(model: tf.keras.Model) -> list[Source]:
    return [Source.of_keras(model), Source.load(REACTNET)]


def test_lint_finds_the_same_again(model: tf.keras.Model) -> None:
    for source, binary in zip(sources(model), (1, 5), strict=True):
        found = [converters.lint(source) for _ in range(3)]
        assert [row.converted_to for row in found[0]].count("binary") == binary
        assert found[1:] == found[:1] * 2


def test_what_is_linted_first_is_converted_to_the_same_file(model: tf.keras.Model, tmp_path: Path) -> None:
    for source, fresh in zip(sources(model), sources(model), strict=True):
        converters.lint(source)
        paths = [tmp_path / name for name in ("first.tflite", "again.tflite", "fresh.tflite")]
        for path, given in zip(paths, (source, source, fresh), strict=True):
            converters.convert(given, path)
        assert len({path.read_bytes() for path in paths}) == 1


OPTIONS: dict[str, Options] = {
    "int8 weights": {"float_weights": "int8"},
    "int8": {"int8": Int8([SAMPLES], "int8", "int8")},
    "LCE": {"via": "lce", "samples": SAMPLES},
    "plain": {},
}


@pytest.mark.filterwarnings("ignore")
def test_no_conversion_leaves_a_trace_in_the_next(model: tf.keras.Model, tmp_path: Path) -> None:
    shared, before, samples = Source.of_keras(model), Source.of_keras(model).model.write(), SAMPLES.copy()
    for name, options in OPTIONS.items():
        converters.convert(shared, tmp_path / f"{name} shared.tflite", **options)
        assert shared.model.write() == before, name
    np.testing.assert_array_equal(SAMPLES, samples)
    for name, options in OPTIONS.items():
        converters.convert(Source.of_keras(model), tmp_path / f"{name}.tflite", **options)
        assert (tmp_path / f"{name} shared.tflite").read_bytes() == (tmp_path / f"{name}.tflite").read_bytes(), name


def test_the_keras_model_stays_as_it_is(model: tf.keras.Model, tmp_path: Path) -> None:
    def state() -> tuple[Options, list[bytes], list[Quantizer | None], KerasTensor]:
        quantizers = [getattr(layer, "input_quantizer", None) for layer in model.layers]
        return model.get_config(), [values.tobytes() for values in model.get_weights()], quantizers, model(SAMPLES)

    before = state()
    converters.lint(model)
    converters.convert(model, tmp_path / "m.tflite")
    converters.convert_float(model, tmp_path / "f.tflite")
    converters.verify(model, tmp_path / "m.tflite", [(SAMPLES, np.zeros(16, int))], dataset="noise")
    after = state()
    assert after[:3] == before[:3]
    np.testing.assert_array_equal(after[3], before[3])


def test_a_comparison_changes_nothing(model: tf.keras.Model) -> None:
    source = Source.of_keras(model)
    lowered, lowering = source.lower()
    floats, flatbuffer = TfliteModel.of(lowering.floats), lowered.write()
    before = floats.write(), source.model.write()
    for reference in (FloatFile(lowering), KerasReference(model, lowering)):
        comparison = Comparison(lowering, flatbuffer, reference)
        comparison.add([SAMPLES])
        assert not comparison.errors
    assert (floats.write(), source.model.write(), lowered.write()) == (*before, flatbuffer)


@pytest.mark.parametrize("kind", ["float16", "int8 weights", "int8"])
def test_what_stores_floats_in_fewer_bits_changes_a_copy(model: tf.keras.Model, kind: str) -> None:
    lowered, _ = Source.of_keras(model).lower()
    before, names = lowered.write(), [tensor.name for tensor in lowered.graphs[0].tensors()]
    if kind == "int8":
        made = quantize_int8(lowered, [SAMPLES], "int8", "int8")
    else:
        made = float_weights(lowered, "int8" if kind == "int8 weights" else "float16")
    assert len(made.write()) < len(before)
    assert lowered.write() == before
    assert [tensor.name for tensor in lowered.graphs[0].tensors()] == names


def test_a_copy_shares_the_bytes_of_constants_and_nothing_else() -> None:
    original = TfliteModel.read(REACTNET)
    before = original.write()
    made = original.copy()
    assert made.write() == before
    for ours, theirs in zip(original.graphs[0].tensors(), made.graphs[0].tensors(), strict=True):
        assert ours is not theirs
        assert ours.content is theirs.content
    ravage(made.graphs[0])
    assert original.write() == before


def ravage(graph: Graph) -> None:
    """Changes everything that rules change."""
    for tensor in graph.tensors():
        tensor.table.name = "changed"
        if tensor.content is not None:
            tensor.set_values(np.zeros(3, np.float32))
    for operator in graph.operators:
        graph.set_inputs(operator, [*operator.inputs, None])
        if hasattr(operator.options, "fusedActivationFunction"):
            operator.options.fusedActivationFunction = 3
    graph.remove(graph.operators[-1])
    for signature in graph.signatures:
        signature.outputs.clear()
    graph.outputs.append(Tensor.of("more", (1,), np.float32))


def test_a_copy_of_several_graphs_keeps_their_calls() -> None:
    function = tf.function(lambda x: tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * 1.5), [0, x])[1])
    concrete = function.get_concrete_function(tf.TensorSpec((2, 3)))
    original = TfliteModel.read(bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], function).convert()))
    assert len(original.graphs) > 1
    assert original.copy().write() == original.write()


def test_optional_inputs_and_custom_options_are_copied() -> None:
    x, y = (Tensor.of(name, (1, 2, 2, 1), np.int32) for name in "xy")
    pool = Operator.custom("LceBMaxPool2d", [x, None], [y], {"stride_width": 2})
    original = TfliteModel.of(Graph("main", [x], [y], [pool]))
    (made,) = original.copy().graphs[0].operators
    assert made.inputs[1] is None
    assert made.custom_options == {"stride_width": 2}


def test_the_quantizer_of_float_parts_works_on_a_copy(model: tf.keras.Model) -> None:
    graph = TfliteModel.read(to_binary(model))
    before = graph.write()
    quantizer = EdgeQuantizer(graph)
    for tensor in quantizer.model.graphs[0].tensors():
        tensor.table.name = "changed"
    assert graph.write() == before


def test_a_tensor_that_nothing_computes(tmp_path: Path) -> None:
    model = TfliteModel.read(REACTNET)
    (graph,) = model.graphs
    reader = next(operator for operator in graph.operators if operator.op_type == "ADD")
    graph.set_inputs(reader, [Tensor.of("lost", reader.input(0).shape, np.float32), *reader.inputs[1:]])
    path = tmp_path / "lost.tflite"
    path.write_bytes(model.write())
    with pytest.raises(MobileBnnError, match="the file is damaged: ADD reads lost, which no operator computes"):
        Source.load(path)
