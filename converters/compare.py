"""Keras and a binary file side by side, layer by layer: counts sign flips and tells rounding from errors."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.converters.layers import LayerInput, binary_layers, run_recorded
from mobile_bnn.converters.probe import BinaryOperator, Probe, binary_operators
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runs import LayerCheck

Array = npt.NDArray[Any]

# Float sums in another order differ in the last bits of their largest terms: below this share of the layer's largest
# pre-activation, Keras and the file may land on different sides of a threshold.
TIE = 1e-5
# Outputs of an image in which no bit flipped differ only by the rounding of the float layers.
OUTPUT_TOLERANCE = 1e-3


@dataclass
class _Layer:
    operator: BinaryOperator
    bits: int = 0
    flips: int = 0
    ties: int = 0
    consequences: int = 0

    def check(self) -> LayerCheck:
        return LayerCheck(
            layer=self.operator.layer,
            operator=self.operator.index,
            bits=self.bits,
            flips=self.flips,
            ties=self.ties,
            consequences=self.consequences,
        )


@dataclass
class Comparison:
    """Compares a Keras model with its binary file on any number of batches.

    Args:
        model: the Keras model.
        flatbuffer: the file's bytes.
    """

    model: Any
    flatbuffer: bytes
    samples: int = 0
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._layers = [_Layer(operator) for operator in binary_operators(self.flatbuffer, self.model)]
        strangers = [str(layer.operator.index) for layer in self._layers if not layer.operator.layer]
        if strangers:
            raise MobileBnnError(
                f"binary operators {', '.join(strangers)} hold filters that no layer of the Keras model has",
                cure="Verify the file against the model that it was made from",
            )
        self._probe = Probe(self.flatbuffer, [layer.operator for layer in self._layers])

    def float_layers(self) -> list[str]:
        """The layers that asked for binarization and have no binary operator in the file."""
        binary = {layer.operator.layer for layer in self._layers}
        return [layer.name for layer in binary_layers(self.model) if layer.name not in binary]

    def checks(self) -> list[LayerCheck]:
        """What was counted so far, layer by layer."""
        return [layer.check() for layer in self._layers]

    def add(self, images: Array) -> None:
        """Runs a batch of float32 images [N, H, W, C] through both and counts.

        A flip is a *tie* where rounding explains it, and a *consequence* where an earlier layer of the same image had a
        tie. What neither explains goes into `errors`, the first layer first.
        """
        keras_output, calls = run_recorded(self.model, images)
        file_output, bits = self._probe.run(images)
        tainted = np.zeros(len(images), bool)
        for layer, file_bits in zip(self._layers, bits, strict=True):
            self._count(layer, _call_of(layer.operator, calls), file_bits, tainted)
        for call in calls:  # what is left belongs to layers that stayed float: their flips cannot be seen
            tainted |= _any(_near_threshold(call))
        self.samples += len(images)
        self._compare_outputs(keras_output, file_output, tainted)

    def _count(self, layer: _Layer, call: LayerInput, file_bits: Array, tainted: Array) -> None:
        name = layer.operator.layer
        if call.real.shape != file_bits.shape:
            self.errors.append(f"{name}: Keras feeds it {call.real.shape}, the file {file_bits.shape}")
            return
        if not np.isin(call.quantized, (-1.0, 1.0)).all():
            values = ", ".join(f"{value:g}" for value in np.unique(call.quantized)[:4])
            self.errors.append(
                f"{name}: its input quantizer gives other values than -1 and 1 ({values}), the file does not"
            )
            return
        flips = (call.quantized < 0) != file_bits
        near = _near_threshold(call)
        ties = flips & near
        followed = flips & ~near & tainted.reshape(-1, *[1] * (flips.ndim - 1))
        layer.bits += flips.size
        layer.flips += int(flips.sum())
        layer.ties += int(ties.sum())
        layer.consequences += int(followed.sum())
        unexplained = int((flips & ~near & ~followed).sum())
        if unexplained:
            self.errors.append(f"{name}: {unexplained} of {flips.size} input bits differ from Keras")
        tainted |= _any(flips)

    def _compare_outputs(self, keras: Array, file: Array, tainted: Array) -> None:
        untouched = ~tainted
        if not untouched.any() or keras.shape != file.shape:
            if keras.shape != file.shape:
                self.errors.append(f"output: Keras gives {keras.shape}, the file {file.shape}")
            return
        difference = np.abs(keras[untouched] - file[untouched]).max()
        limit = OUTPUT_TOLERANCE * np.abs(keras[untouched]).max()
        if not difference <= limit:
            self.errors.append(f"output: differs by {difference:.3g}, though no bit flipped before it")


def _near_threshold(call: LayerInput) -> Array:
    """The elements that rounding alone can push over the threshold."""
    magnitude = np.abs(call.real)
    near: Array = magnitude <= TIE * magnitude.max()
    return near


def _any(bits: Array) -> Array:
    """For each image, whether any of its elements is True."""
    found: Array = bits.reshape(len(bits), -1).any(axis=1)
    return found


def _call_of(operator: BinaryOperator, calls: list[LayerInput]) -> LayerInput:
    """Takes the layer's first call that no operator has claimed yet out of `calls`."""
    for position, call in enumerate(calls):
        if call.layer == operator.layer:
            return calls.pop(position)
    raise MobileBnnError(f"the file has more operators with the filter of {operator.layer} than Keras calls it")
