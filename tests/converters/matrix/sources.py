"""What models come as: layouts, open sizes, batches, files, and the names and order of inputs and outputs."""

from collections.abc import Callable

import numpy as np
from matrix.family import ONES, SIGNS, Family, block, chain, conv, norm

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.lce_converter import to_float
from mobile_bnn.converters.storage.int8 import ValueType, quantize_int8
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasModel, KerasTensor

layers = tf.keras.layers
FIRST = {"data_format": "channels_first"}
TWO = {"LceBconv2d": 2, "CONV_2D": 0}
OPEN = (None, None, 40)


def _first(*parts: Callable[[], KerasLayer]) -> Callable[[], KerasModel]:
    """A model of channels_first throughout."""
    return lambda: tf.keras.Sequential([layers.Input((40, 8, 6)), *(part() for part in parts)])


def _last(model: KerasModel) -> KerasModel:
    """The same weights in layers of channels_last, between what turns images around: CPUs have kernels of no other."""

    def turned(layer: KerasLayer) -> KerasLayer:
        config = layer.get_config()
        if "data_format" in config:
            config["data_format"] = "channels_last"
        if isinstance(layer, layers.BatchNormalization):
            config["axis"] = 3
        return type(layer).from_config(config)

    parts = [turned(layer) for layer in model.layers]
    ends = [layers.Permute((3, 1, 2))] if len(model.output_shape) == 4 else []
    twin = tf.keras.Sequential([layers.Input(model.input_shape[1:]), layers.Permute((2, 3, 1)), *parts, *ends])
    with larq.context.quantized_scope(False):
        twin.set_weights(model.get_weights())
    return twin


def _norm_first() -> KerasLayer:
    return norm(axis=1)


def _conv_first(**options: object) -> KerasLayer:
    return conv(**FIRST, **options)


def _float16(model: KerasModel) -> bytes:
    """Its weights in float16, as TFLite's converter stores them."""
    return _optimized(model, [tf.float16])


def _optimized(model: KerasModel, types: list[tf.DType]) -> bytes:
    spec = tf.TensorSpec((1, *model.input_shape[1:]))
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = types
    return converter.convert()


def _int8(ends: ValueType) -> Callable[[KerasModel], bytes]:
    def quantized(model: KerasModel) -> bytes:
        samples = np.random.default_rng(0).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
        return quantize_int8(TfliteModel.read(to_float(model)), [samples], ends, ends).write()

    return quantized


def _named(name: str, channels: int = 32) -> KerasTensor:
    return layers.Input((6, 6, channels), name=name)


def _dict_inputs() -> KerasModel:
    """Given in another order than the names have."""
    images = {"right": _named("right"), "left": _named("left"), "depth": _named("depth", 16)}
    parts = [conv(16, size)(images[name]) for name, size in (("left", 3), ("right", 1), ("depth", 3))]
    return tf.keras.Model(images, layers.Subtract()([layers.Add()(parts[:2]), parts[2]]))


def _dict_outputs() -> KerasModel:
    image = _named("image")
    x = norm()(conv(32)(image))
    pooled = layers.GlobalAveragePooling2D()
    return tf.keras.Model(image, {"scores": layers.Dense(3)(pooled(x)), "boxes": conv(8)(x), "all": x})


def _passed_on() -> KerasModel:
    """Three outputs: one is the input, one is given out twice."""
    image = _named("image")
    x = conv(24)(image)
    return tf.keras.Model(image, [image, x, layers.GlobalAveragePooling2D()(norm()(conv(8)(x)))])


def _one_name_twice() -> KerasModel:
    """Two models inside one, with layers of the same names."""
    image = layers.Input((6, 6, 32))

    def inner(size: int, name: str) -> KerasModel:
        x = layers.Input((6, 6, 32))
        return tf.keras.Model(x, norm(name="norm")(conv(32, size, name="conv")(x)), name=name)

    return tf.keras.Model(image, inner(1, "second")(inner(3, "first")(image)))


def _odd_names() -> KerasModel:
    image = layers.Input((6, 6, 32), name="image.1")
    x = norm(name="block-1.norm")(conv(32, name="block-1.conv")(image))
    return tf.keras.Model(image, conv(16, name="block-1.conv-1.x")(x))


class _Subclassed(tf.keras.Model):
    """Its layers are known only once it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = conv(32), norm(), conv(16)

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        return self.second(self.norm(self.first(x), training=training))


class _SubclassedOfTwo(tf.keras.Model):
    """A dict in, a dict out, and a block of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.wide = _Subclassed(), conv(16, 1)

    def call(self, images: dict[str, KerasTensor], training: bool = False) -> dict[str, KerasTensor]:
        near, far = self.inner(images["near"], training=training), self.wide(images["far"])
        return {"total": near + far, "mean": tf.reduce_mean(near, [1, 2])}


def _called(make: type[KerasModel], *names: str) -> Callable[[], KerasModel]:
    def network() -> KerasModel:
        model = make()
        image = tf.zeros((1, 6, 6, 32))
        model(dict.fromkeys(names, image) if names else image)
        return model

    return network


def _heads(x: KerasTensor) -> KerasTensor:
    return layers.Dense(5, "softmax")(layers.GlobalAveragePooling2D()(norm()(conv(32)(x))))


def _vector(**options: object) -> KerasLayer:
    return larq.layers.QuantDense(12, **SIGNS, **options)


def _file(name: str, float_file: Callable[[KerasModel], bytes], refused: str = "") -> Family:
    """Of a float stem and two binary layers without scales, which float16 holds exactly."""
    parts = lambda: conv(32, use_bias=True), lambda: conv(16, use_bias=True, padding="valid")
    operators = {} if refused else TWO
    return Family(f".tflite {name}", chain(*parts), operators, refused=refused, float_file=float_file)


FAMILIES = [
    Family("channels_first", _first(_conv_first), {"LceBconv2d": 1}, twin=_last),
    Family("channels_first: BN, conv", _first(_conv_first, _norm_first, _conv_first), TWO, twin=_last),
    Family(
        "channels_first: MaxPool, BN, conv",
        _first(_conv_first, lambda: layers.MaxPool2D(2, **FIRST), _norm_first, _conv_first),
        TWO,
        twin=_last,
    ),
    Family(
        "channels_first: Flatten, QuantDense",
        _first(_conv_first, lambda: layers.Flatten(**FIRST), _vector),
        {"LceBconv2d": 2, "FULLY_CONNECTED": 0},
        twin=_last,
    ),
    Family(
        "channels_first: same-zero, stride 2, ternary kernel",
        _first(
            lambda: larq.layers.QuantConv2D(
                32,
                3,
                2,
                padding="same",
                input_quantizer="ste_sign",
                kernel_quantizer="ste_tern",
                use_bias=False,
                **FIRST,
            )
        ),
        {"CONV_2D": 0},
        twin=_last,
    ),
    Family("open height and width", block(_heads, OPEN), {"LceBconv2d": 1}, input_shape=(8, 6, 40)),
    Family(
        "open height and width, zeros around a small map",
        chain(lambda: conv(padding="same", pad_values=0.0, size=5), norm, conv, shape=OPEN),
        TWO,
        input_shape=(4, 3, 40),
    ),
    Family(
        "open height and width, transposed",
        chain(
            lambda: larq.layers.QuantConv2DTranspose(16, 3, 2, padding="same", use_bias=False, **SIGNS),
            norm,
            shape=OPEN,
        ),
        {"TRANSPOSE_CONV": 0},
        input_shape=(4, 3, 40),
    ),
    Family("open sequence", chain(_vector, shape=(None, 40)), {"LceBconv2d": 1}, input_shape=(7, 40)),
    Family(
        "ternary kernel, BN, conv, batches of 3",
        chain(lambda: conv(kernel_quantizer="ste_tern"), norm, conv),
        {"CONV_2D": 0},
        batch_size=3,
    ),
    Family(
        "QuantConv1D, batches of any size",
        chain(lambda: larq.layers.QuantConv1D(24, 3, **SIGNS, **ONES), shape=(12, 40)),
        {"LceBconv2d": 1},
        batch_size=None,
    ),
    Family("QuantDense on sequences, batches of 4", chain(_vector, shape=(7, 40)), {"LceBconv2d": 1}, batch_size=4),
    _file("in float32", to_float),
    _file("with weights in float16", _float16),
    _file("of dynamic range", lambda model: _optimized(model, []), refused="quantized already"),
    _file("in int8, float ends", _int8("float32"), refused="quantized already"),
    _file("in int8", _int8("int8"), refused="quantized already"),
    Family("a dict of three inputs", _dict_inputs, {"LceBconv2d": 3}),
    Family("a dict of three outputs", _dict_outputs, {"LceBconv2d": 2}),
    Family("an output that is the input", _passed_on, {"LceBconv2d": 2}),
    Family("a subclassed model", _called(_Subclassed), TWO),
    Family("a subclassed model, dicts in and out", _called(_SubclassedOfTwo, "near", "far"), {"LceBconv2d": 3}),
    Family("layers of one name in two inner models", _one_name_twice, TWO),
    Family("names with dots and numbers", _odd_names, TWO),
]
