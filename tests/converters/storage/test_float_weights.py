"""Float weights in fewer bits: the outputs and the accuracy stay, the file shrinks, binary parts are untouched."""

import sys

import numpy as np
import pytest
from calibrated import calibrated
from float_files import to_float
from trained import digits

from mobile_bnn import zoo
from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.export import export
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.storage.float_weights import FloatWeights, float_weights
from mobile_bnn.converters.verification.agreement import outputs
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf


def run(model: TfliteModel, x: np.ndarray) -> np.ndarray:
    return outputs(model.write(), [x])


@pytest.fixture(scope="module")
def quicknet() -> TfliteModel:
    tf.keras.utils.set_random_seed(0)  # in a random network, rounding may turn a sign and all that follows from it
    exported = export(calibrated(zoo.build("quicknet_small")))
    lower(exported.graphs[0])
    return exported


def constants(graph: Graph, kind: str) -> list[bytes]:
    """Of the operators of that kind, in order."""
    operators = [operator for operator in graph.operators if operator.op_type == kind]
    return [t.content.tobytes() for o in operators for t in o.inputs if t is not None and t.content is not None]


@pytest.mark.parametrize(("kind", "most_bytes"), [("float16", 3_000_000), ("int8", 2_300_000)])
def test_quicknet_small(quicknet: TfliteModel, kind: FloatWeights, most_bytes: int) -> None:
    before = quicknet.write()
    smaller = float_weights(quicknet, kind)
    assert len(before) > 4_100_000
    assert len(smaller.write()) < most_bytes
    assert quicknet.write() == before
    (old,), (new,) = quicknet.graphs, smaller.graphs
    for name in ("LceBconv2d", "MUL", "ADD"):
        assert constants(new, name) == constants(old, name)
    kept = [operator.op_type for operator in new.operators if operator.op_type != "DEQUANTIZE"]
    assert kept == [operator.op_type for operator in old.operators]
    image = np.random.default_rng(0).normal(size=(1, 224, 224, 3)).astype(np.float32)
    np.testing.assert_allclose(interpreter(smaller.write()).predict(image), run(smaller, image), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("kind", "error"), [("float16", 2**-11), ("int8", 1 / 254)])
def test_weights_are_rounded_to_the_nearest(quicknet: TfliteModel, kind: FloatWeights, error: float) -> None:
    (old,), (new,) = quicknet.graphs, float_weights(quicknet, kind).graphs
    (before,) = (operator for operator in old.operators if operator.op_type == "FULLY_CONNECTED")
    (after,) = (operator for operator in new.operators if operator.op_type == "FULLY_CONNECTED")
    stored = new.producer(after.inputs[1]).inputs[0]
    assert stored.dtype == np.dtype(kind)
    values = stored.values.astype(np.float32)
    if kind == "int8":
        values *= np.asarray(stored.table.quantization.scale)[:, None]
    weights = before.inputs[1].values
    largest = np.abs(weights) if kind == "float16" else np.abs(weights).max(1, keepdims=True)
    assert (np.abs(values - weights) <= error * largest * 1.001 + 1e-7).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["float16", "int8"])
def test_accuracy_on_digits(kind: FloatWeights) -> None:
    trained = digits()
    before, after = trained.binary.write(), float_weights(trained.binary, kind).write()
    assert len(after) < 0.65 * len(before)
    assert trained.accuracy(outputs(before, [trained.images])) > 0.9
    difference = trained.accuracy(outputs(before, [trained.images])) - trained.accuracy(
        outputs(after, [trained.images])
    )
    assert abs(difference) <= 0.01


def test_float32_is_the_model_itself(quicknet: TfliteModel) -> None:
    assert float_weights(quicknet, "float32") is quicknet


def test_nothing_to_store_is_the_model_itself() -> None:
    model = TfliteModel.read(to_float(lambda x: tf.nn.relu(x) + 1.0, (1, 4)))
    assert float_weights(model, "int8") is model


def test_shared_weights_names_signatures_and_metadata() -> None:
    weights = tf.constant(np.random.default_rng(0).normal(size=(40, 40)), tf.float32)
    model = TfliteModel.read(to_float(lambda x: tf.nn.relu(x @ weights) @ weights, (1, 40)))
    model.metadata.append(("note", np.frombuffer(b"kept", np.uint8)))
    for tensor in model.graphs[0].tensors():
        tensor.table.name = "same"
    smaller = TfliteModel.read(float_weights(model, "int8").write())
    assert dict(smaller.metadata)[b"note"].tobytes() == b"kept"
    assert [signature.key for signature in smaller.graphs[0].signatures] == [
        signature.key for signature in model.graphs[0].signatures
    ]
    assert len(smaller.write()) < len(model.write()) - 40 * 40 * 2
    x = np.random.default_rng(1).normal(size=(1, 40)).astype(np.float32)
    np.testing.assert_allclose(run(smaller, x), run(model, x), atol=0.02 * np.abs(run(model, x)).max())


def test_without_the_package(quicknet: TfliteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)
    with pytest.raises(MobileBnnError, match=r"ai-edge-quantizer is not installed. pip install 'mobile-bnn\[train\]'"):
        float_weights(quicknet, "int8")
