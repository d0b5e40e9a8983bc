"""Names and order of inputs and outputs, from the model to each file that is written, and to who reads it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import converters, pipeline
from mobile_bnn.converters.conversion import Int8
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.export import with_known_inputs
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import Array, KerasModel, KerasTensor

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
SHAPE = (4, 4, 32)


def image(name: str) -> KerasTensor:
    return layers.Input(SHAPE, name=name)


def conv(name: str, x: KerasTensor, channels: int = 5) -> KerasTensor:
    return larq.layers.QuantConv2D(channels, 3, name=name, **SIGN)(x)


def pool(name: str, x: KerasTensor) -> KerasTensor:
    return layers.GlobalMaxPooling2D(name=name)(x)


def lists() -> KerasModel:
    zulu, alpha = image("zulu"), image("alpha")
    return tf.keras.Model([zulu, alpha], [conv("second", zulu), pool("first", alpha)])


def dicts_of_other_names() -> KerasModel:
    """The keys are not the layers' names, and sorted otherwise."""
    one, two = image("layer_a"), image("layer_b")
    return tf.keras.Model(
        {"zulu": one, "alpha": two}, {"logits": conv("layer_z", one), "embedding": pool("layer_y", two)}
    )


def nested() -> KerasModel:
    zulu, alpha = image("zulu"), image("alpha")
    inner = lists()
    second, first = inner([alpha, zulu])
    return tf.keras.Model([zulu, alpha], [layers.ReLU(name="b")(second), layers.ReLU(name="a")(first)])


class Joined(tf.keras.Model):
    """A model of one's own that is given two images, in whatever structure, and gives a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = larq.layers.QuantConv2D(5, 3, name="conv", **SIGN)

    def call(self, given: object) -> dict[str, KerasTensor]:
        first, second = tf.nest.flatten(given)
        return {"sum": self.conv(first) + tf.reduce_max(second, (1, 2, 3), keepdims=True), "alone": self.conv(first)}


def called_with(arrange: Callable[[KerasTensor, KerasTensor], object]) -> Callable[[], KerasModel]:
    def make() -> KerasModel:
        model = Joined()
        model(arrange(tf.zeros((1, *SHAPE)), tf.zeros((1, *SHAPE))))
        return with_known_inputs(model)

    return make


def output_twice() -> KerasModel:
    x = image("image")
    y = conv("conv", x)
    return tf.keras.Model(x, [y, pool("pool", y), y])


def an_input_is_an_output() -> KerasModel:
    x, y = image("image"), image("other")
    return tf.keras.Model([x, y], [conv("conv", x), y])


# By name: a model, and the names of its inputs and outputs in Keras's order.
MODELS: dict[str, tuple[Callable[[], KerasModel], list[str], list[str]]] = {
    "lists": (lists, ["zulu", "alpha"], ["second", "first"]),
    "dicts of other names": (dicts_of_other_names, ["alpha", "zulu"], ["embedding", "logits"]),
    "nested": (nested, ["zulu", "alpha"], ["b", "a"]),
    "a dict, subclassed": (called_with(lambda x, y: {"zulu": y, "alpha": x}), ["alpha", "zulu"], ["alone", "sum"]),
    "dicts in a dict, subclassed": (
        called_with(lambda x, y: {"rooms": {"b": y, "a": x}}), ["rooms/a", "rooms/b"], ["alone", "sum"],
    ),
    "dicts in a list, subclassed": (
        called_with(lambda x, y: [{"zulu": x}, {"alpha": y}]), ["zulu", "alpha"], ["alone", "sum"],
    ),
    "an input is an output": (an_input_is_an_output, ["image", "other"], ["conv", "other"]),
    "an output twice": (output_twice, ["image"], ["conv", "pool", "conv_1"]),
}  # fmt: skip


def images(count: int) -> list[Array]:
    return [np.random.default_rng(n).normal(size=(2, *SHAPE)).astype(np.float32) for n in range(count)]


def check(path: Path, model: KerasModel, inputs: list[str], outputs: list[str], tolerance: float = 1e-4) -> None:
    """In order and by name, the file gives what Keras gives."""
    given = images(len(inputs))
    expected = tf.nest.flatten(model.predict_on_batch(given if len(given) > 1 else given[0]))
    with Interpreter(path) as interpreter:
        assert (interpreter.input_names, interpreter.output_names) == (inputs, outputs)
        assert list(interpreter.signatures) == ["serving_default"]
        for batch in (given, dict(reversed(list(zip(inputs, given, strict=True))))):
            for theirs, ours in zip(expected, tf.nest.flatten(interpreter.predict(batch)), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_every_file_of_a_model_has_its_names_in_its_order(name: str, tmp_path: Path) -> None:
    make, inputs, outputs = MODELS[name]
    tf.keras.utils.set_random_seed(1)
    model = make()
    converters.convert(model, tmp_path / "own.tflite", float_path=tmp_path / "float.tflite")
    converters.convert(model, tmp_path / "lce.tflite", via="lce")
    for file in ("own", "float", "lce"):
        check(tmp_path / f"{file}.tflite", model, inputs, outputs)
    converters.convert(model, tmp_path / "half.tflite", float_weights="float16")
    check(tmp_path / "half.tflite", model, inputs, outputs, 1e-2)


def test_a_file_of_int8_keeps_them(tmp_path: Path) -> None:
    tf.keras.utils.set_random_seed(1)
    model = lists()
    converters.convert(model, tmp_path / "m.tflite", int8=Int8(images(2)))
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        assert (interpreter.input_names, interpreter.output_names) == (["zulu", "alpha"], ["second", "first"])


def test_a_float_file_without_a_signature_keeps_names_and_order(tmp_path: Path) -> None:
    """Those of its tensors: there are no others."""
    tf.keras.utils.set_random_seed(1)
    source = converters.Source.of(lists()).model.copy()
    source.graphs[0].signatures = []
    for number, tensor in enumerate([*source.graphs[0].inputs, *source.graphs[0].outputs]):
        tensor.table.name = ["zulu", "alpha", "second", "first"][number]
    (tmp_path / "float.tflite").write_bytes(source.write())
    for file, options in {"m": {}, "half": {"float_weights": "float16"}}.items():
        converters.convert(tmp_path / "float.tflite", tmp_path / f"{file}.tflite", **options)
        (graph,) = TfliteModel.read(tmp_path / f"{file}.tflite").graphs
        assert not graph.signatures
        with Interpreter(tmp_path / f"{file}.tflite") as ours, Interpreter(tmp_path / "float.tflite") as theirs:
            assert ours.input_names == theirs.input_names == ["zulu", "alpha"]
            assert ours.output_names == theirs.output_names == ["second", "first"]
            for one, other in zip(ours.predict(images(2)), theirs.predict(images(2)), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_names_of_a_run_through_the_pipeline(tmp_path: Path) -> None:
    tf.keras.utils.set_random_seed(1)
    model = dicts_of_other_names()
    model.save(tmp_path / "m.keras")
    pipeline.convert(tmp_path / "m.keras", output=tmp_path / "m.tflite")
    check(tmp_path / "m.tflite", model, ["alpha", "zulu"], ["embedding", "logits"])
    if (twin := tmp_path / "m_float.tflite").is_file():
        check(twin, model, ["alpha", "zulu"], ["embedding", "logits"])
