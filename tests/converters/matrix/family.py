"""What a family of the conversion matrix is, and the few pieces that its small networks are built of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from calibrated import calibrated

from mobile_bnn.converters.keras.export import with_known_inputs
from mobile_bnn.converters.keras.layers import flatten
from mobile_bnn.converters.source import Source
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasLayer, KerasModel, KerasTensor

SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
ONES = {"padding": "same", "pad_values": 1.0}
ZEROS = {"padding": "same", "pad_values": 0.0}


@dataclass(frozen=True)
class Family:
    """A kind of graph that users write, and what a converter must make of it.

    Attributes:
        name: as the table shows it.
        network: builds a small Keras model of that kind.
        operators: how many operators of these kinds the file has; of other kinds it may have any.
        refused: a piece of the reason if it cannot be binary, else empty: then everything that asked must be.
        batch_size: of the file; None leaves it open.
        most_bytes: of the file; 0 if that does not matter.
        input_shape: what open sizes of its input are to be.
        float_file: of the model; where it is given, that file is converted, not the model.
        twin: a model that computes the same, of a model that TensorFlow cannot run on this machine.
    """

    name: str
    network: Callable[[], KerasModel]
    operators: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""
    batch_size: int | None = 1
    most_bytes: int = 0
    input_shape: tuple[int, ...] | None = None
    float_file: Callable[[KerasModel], bytes] | None = None
    twin: Callable[[KerasModel], KerasModel] | None = None

    def model(self) -> KerasModel:
        """The network as after a training: the same weights each time, no bias 0, no batch norm neutral."""
        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(1)
        model = self.network()
        with larq.context.quantized_scope(False):
            _fill(model)
        runnable = calibrated(self.runnable(model), input_shape=self.input_shape)
        if self.twin:
            with larq.context.quantized_scope(False):
                model.set_weights(runnable.get_weights())
        return model

    def runnable(self, model: KerasModel) -> KerasModel:
        """What computes the same as the model, with inputs that are known."""
        return with_known_inputs(self.twin(model) if self.twin else model)

    def source(self, model: KerasModel) -> Source:
        """What is converted.

        Raises:
            MobileBnnError: it cannot be.
        """
        given = model if self.float_file is None else self.float_file(model)
        return Source.of(given, self.batch_size, self.input_shape)

    def images(self, model: KerasModel) -> list[np.ndarray]:
        """For each input of its model what a quantizer may trip over: float32 [6, ...].

        Noise, noise on a grid on which the thresholds of these networks lie too, 0, -0.0, large numbers, some of all.
        """
        generator = np.random.default_rng(2)
        shapes = [self.input_shape or tuple(tensor.shape[1:]) for tensor in with_known_inputs(model).inputs]
        return [_adversarial(shape, generator) for shape in shapes]


def _fill(model: KerasModel) -> None:
    """Gives weights that start with one value (biases, slopes, shifts) others, on the grid of the images."""
    generator = np.random.default_rng(3)
    for layer in flatten(model):
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            continue
        for weight in layer.weights:
            values = weight.numpy()
            if values.size and (values == values.flat[0]).all():
                weight.assign(np.rint(generator.normal(size=values.shape) * 4) / 8)


def _adversarial(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    noise = generator.normal(size=(3, *shape))
    grid = np.rint(generator.normal(size=shape) * 4) / 8
    mixed = np.where(generator.random(shape) < 0.5, grid, noise[1])
    mixed[generator.random(shape) < 0.1] = -0.0
    images = [noise[0], grid, np.zeros(shape), np.full(shape, -0.0), noise[2] * 1000, mixed]
    return np.stack(images).astype(np.float32)


def conv(filters: int = 32, size: int | tuple[int, int] = 3, **options: object) -> KerasLayer:
    """A binary convolution of Larq, padded with ones unless told otherwise, without bias."""
    return larq.layers.QuantConv2D(filters, size, **{**SIGNS, **ONES, "use_bias": False, **options})


def valid(filters: int = 32, size: int | tuple[int, int] = 3, **options: object) -> KerasLayer:
    """The same without padding."""
    return conv(filters, size, **{"padding": "valid", **options})


def norm(**options: object) -> KerasLayer:
    """A batch norm."""
    return tf.keras.layers.BatchNormalization(**options)


def op(function: KerasFunction) -> KerasLayer:
    """A function of TensorFlow as a layer."""
    return tf.keras.layers.Lambda(function)


def chain(*layers: Callable[[], KerasLayer], shape: tuple[int, ...] = (8, 6, 40)) -> Callable[[], KerasModel]:
    """What builds a model of layers one after the other; each is given as a function that makes it."""

    def network() -> KerasModel:
        x = image = tf.keras.layers.Input(shape)
        for layer in layers:
            x = layer()(x)
        return tf.keras.Model(image, x)

    return network


def block(function: KerasFunction, shape: tuple[int, ...] = (8, 6, 40)) -> Callable[[], KerasModel]:
    """What builds a model of one input whose output a function computes from it."""

    def network() -> KerasModel:
        image = tf.keras.layers.Input(shape)
        return tf.keras.Model(image, function(image))

    return network


def sign(x: KerasTensor) -> KerasTensor:
    """-1 or 1, as a function of TensorFlow that LCE knows."""
    return larq.math.sign(x)


def scales(channels: int, seed: int = 4) -> KerasTensor:
    """A constant of positive factors, one per channel."""
    return tf.constant(np.random.default_rng(seed).uniform(0.1, 2, channels), tf.float32)
