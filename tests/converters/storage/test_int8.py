"""Full int8: the accuracy stays, inputs and outputs are what was asked for, and no float is left that need not be."""

from collections.abc import Callable

import numpy as np
import pytest
from float_files import to_float
from trained import digits

from mobile_bnn.converters.graph.model import Signature
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.storage.int8 import ValueType, quantize_int8
from mobile_bnn.converters.verification.agreement import agreement, outputs
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasTensor

sign = larq.math.sign


def float_model(function: Callable[..., KerasTensor], *shapes: tuple[int, ...]) -> TfliteModel:
    return TfliteModel.read(to_float(function, *shapes))


def lowered(function: Callable[..., KerasTensor], *shapes: tuple[int, ...]) -> TfliteModel:
    model = float_model(function, *shapes)
    lower(model.graphs[0])
    return model


def run(model: TfliteModel, *inputs: np.ndarray) -> np.ndarray:
    return outputs(model.write(), inputs)


@pytest.mark.parametrize("output_type", ["float32", "int8"])
@pytest.mark.parametrize("input_type", ["float32", "int8"])
def test_accuracy_on_digits(input_type: ValueType, output_type: ValueType) -> None:
    trained = digits()
    model = quantize_int8(trained.binary, [trained.seen[:200]], input_type, output_type)
    with Interpreter(model.write()) as litert:
        assert litert.input_details[0]["dtype"] == np.dtype(input_type)
        assert litert.output_details[0]["dtype"] == np.dtype(output_type)
    before, after = trained.accuracy(run(trained.binary, trained.images)), trained.accuracy(run(model, trained.images))
    assert before > 0.9
    assert abs(before - after) <= 0.01


def test_channels_whose_sign_never_changes_stay_so() -> None:
    """The converter adds an infinity before the sign of a channel that a batch norm makes constant."""
    model = digits().binary.copy()
    (graph,) = model.graphs
    shift = next(each for each in graph.operators if each.op_type == "ADD")
    (constant,) = (each for each in shift.inputs if each is not None and each.content is not None)
    values = np.array(constant.values)
    values.reshape(-1)[:2] = (np.inf, -np.inf)
    constant.set_values(values)
    images = digits().images
    quantized = quantize_int8(model, [digits().seen[:200]])
    assert "ADD" in {each.op_type for each in quantized.graphs[0].operators if each.output.dtype == np.float32}
    before, after = run(model, images), run(quantized, images)
    assert np.isfinite(after).all()
    assert (before.argmax(-1) == after.argmax(-1)).mean() > 0.97


def test_binary_operators_read_and_write_int8() -> None:
    (graph,) = quantize_int8(digits().binary, [digits().seen[:50]]).graphs
    ends = {
        "LceQuantize": [operator.inputs[0] for operator in graph.operators if operator.op_type == "LceQuantize"],
        "LceBconv2d": [operator.output for operator in graph.operators if operator.op_type == "LceBconv2d"],
    }
    makers = [graph.producer(tensor) for tensor in ends["LceQuantize"]]
    for tensor, maker in zip(ends["LceQuantize"], makers, strict=True):
        # On some processors the training ends with a sign that never changes: an infinity is added before it.
        constants = [each.values for each in maker.inputs if each is not None and each.content is not None]
        infinite = any(values is not None and not np.isfinite(values).all() for values in constants)
        assert str(tensor.dtype) == ("float32" if infinite else "int8")
    assert [str(tensor.dtype) for tensor in ends["LceBconv2d"]][-1] == "int8"
    assert "float32" not in {str(tensor.dtype) for tensor in ends["LceBconv2d"]}
    kinds = [operator.op_type for operator in graph.operators]
    assert (kinds.count("QUANTIZE"), kinds[0], kinds[-1]) == (1, "QUANTIZE", "DEQUANTIZE")


def test_agreement_of_two_files() -> None:
    trained = digits()
    before, after = trained.binary.write(), quantize_int8(trained.binary, [trained.seen[:100]], "int8", "int8").write()
    compared = agreement(before, after, [trained.images[:50]])
    ours, theirs = outputs(before, [trained.images[:50]]), outputs(after, [trained.images[:50]])
    assert compared.samples == 50
    assert compared.top1 == np.mean(ours.argmax(1) == theirs.argmax(1)) > 0.9
    assert 0 < compared.difference < compared.magnitude == pytest.approx(0.1)  # of ten probabilities


def test_lces_interpreter_agrees() -> None:
    """Its int8 kernels are of another version of TFLite, which rounds some values the other way."""
    trained = digits()
    model = quantize_int8(trained.binary, [trained.seen[:200]])
    theirs = np.asarray(interpreter(model.write()).predict(trained.images))
    assert np.mean(theirs.argmax(-1) == run(model, trained.images).argmax(-1)) > 0.98


FILTER = np.random.default_rng(0).choice(np.float32([-1, 1]), (3, 3, 32, 32))
DENSE = np.random.default_rng(1).normal(size=(32, 8)).astype(np.float32)


def residual(x: KerasTensor) -> KerasTensor:
    """Zeros around the map: LCE has no int8 output for that."""
    y = x + tf.nn.relu(tf.nn.conv2d(sign(x), FILTER, 1, "SAME")) / 100
    y = (
        y
        + tf.nn.conv2d(tf.pad(sign(y), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1.0), FILTER, 1, "VALID") / 100
    )
    return tf.reduce_mean(y, (1, 2)) @ DENSE


def test_a_residual_network_with_both_paddings() -> None:
    model = lowered(residual, (1, 6, 6, 32))
    x = np.random.default_rng(2).normal(size=(60, 6, 6, 32)).astype(np.float32)
    int8 = quantize_int8(model, [x[:40]], "int8", "int8")
    (graph,) = int8.graphs
    assert {str(o.output.dtype) for o in graph.operators if o.op_type == "LceBconv2d"} == {"float32", "int8"}
    expected = run(model, x)
    # Where rounding turns a value near 0 into 0, a sign differs: the sums are near, not equal.
    assert np.abs(run(int8, x) - expected).mean() < 0.05 * np.abs(expected).max()
    assert interpreter(int8.write()).predict(np.zeros((1, 6, 6, 32), np.int8)).shape == (1, 8)


def test_an_input_that_only_a_sign_reads() -> None:
    model = lowered(lambda x: tf.nn.conv2d(sign(x), FILTER, 1, "VALID"), (1, 4, 4, 32))
    x = np.random.default_rng(3).normal(size=(30, 4, 4, 32)).astype(np.float32)
    x = np.where(np.abs(x) < 0.1, np.float32(0.5), x)  # far from 0, so that int8 keeps each sign
    int8 = quantize_int8(model, [x], "int8", "int8")
    assert [operator.op_type for operator in int8.graphs[0].operators] == ["LceQuantize", "LceBconv2d"]
    expected = run(model, x)
    np.testing.assert_allclose(run(int8, x), expected, atol=np.ptp(expected) / 255)


def test_several_inputs_and_outputs_keep_their_names() -> None:
    weights = np.random.default_rng(4).normal(size=(8, 8)).astype(np.float32)
    model = float_model(lambda a, b: (a @ weights + b, tf.nn.relu(b)), (1, 8), (1, 8))
    model.graphs[0].signatures = [named(model)]
    samples = [np.random.default_rng(i).normal(size=(100, 8)).astype(np.float32) for i in range(2)]
    int8 = quantize_int8(model, samples, "int8", "int8")
    with Interpreter(int8.write()) as litert:
        assert litert.signatures == {"main": {"inputs": ["a", "b"], "outputs": ["sum", "relu"]}}
        assert {str(np.dtype(d["dtype"])) for d in (*litert.input_details, *litert.output_details)} == {"int8"}
    expected = run(model, *samples)
    np.testing.assert_allclose(run(int8, *samples), expected, atol=0.03 * np.abs(expected).max())


def named(model: TfliteModel) -> Signature:
    (graph,) = model.graphs
    return Signature(
        "main", dict(zip("ab", graph.inputs, strict=True)), dict(zip(("sum", "relu"), graph.outputs, strict=True))
    )


def test_the_model_stays_as_it_was() -> None:
    before = digits().binary.write()
    quantize_int8(digits().binary, [digits().seen[:5]], "int8", "int8")
    assert digits().binary.write() == before


def test_samples_that_do_not_fit() -> None:
    model = float_model(lambda a, b: a + b, (2, 8), (2, 8))
    x = np.zeros((4, 8), np.float32)
    with pytest.raises(UsageError, match="there are not as many samples for each input: 3, 4"):
        quantize_int8(model, [x, x[:3]])
    with pytest.raises(UsageError, match="1 sample cannot fill a batch of the model, which is 2"):
        quantize_int8(model, [x[:1], x[:1]])
    with pytest.raises(UsageError, match="the model has 2 inputs, samples were given for 1"):
        quantize_int8(model, [x])
    with pytest.raises(UsageError, match=r"takes arrays of \(N, 8\), not \(2, 7\)"):
        quantize_int8(model, [x, x[:, :7]])


def test_loops_are_refused() -> None:
    model = float_model(lambda x: tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * 1.5), [0, x])[1], (1, 8))
    with pytest.raises(MobileBnnError, match="a model with loops or branches cannot become int8"):
        quantize_int8(model, [np.zeros((4, 8), np.float32)])


def test_infinities_are_refused() -> None:
    model = float_model(lambda x: tf.nn.relu(tf.math.log(x)), (1, 8))
    with pytest.raises(MobileBnnError, match=r"cannot become int8: .* is not finite on a sample"):
        quantize_int8(model, [np.zeros((2, 8), np.float32)])
