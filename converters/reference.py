"""What a binary file is compared with: a Keras model, or a float file, with what goes into each binary layer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mobile_bnn.converters.graph import Graph, Tensor, TfliteModel
from mobile_bnn.converters.litert import run_float_file
from mobile_bnn.converters.lowering import Layer, Lowering
from mobile_bnn.converters.quantizers.cone import Cone, cones
from mobile_bnn.converters.quantizers.finite import values_of
from mobile_bnn.converters.rules.few_valued import quantizer_of, reshaped_from

Array = npt.NDArray[Any]

# Float sums in another order differ in the last bits of their largest terms: within this share of the layer's largest
# pre-activation, two runs may land on different sides of a threshold.
TIE = 1e-5
_LEAST = 1e-6  # what terms near 1 leave where they cancel out


@dataclass(frozen=True)
class LayerInput:
    """What one call of a binary layer got.

    Attributes:
        layer: the name.
        quantized: [N, ..., C], after its input's quantizer.
        near: bool in that shape: where rounding alone may give another value.
    """

    layer: str
    quantized: Array
    near: Array


class Reference(Protocol):
    """What tells the truth, and its name in messages."""

    name: str

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[LayerInput]]:
        """Outputs, and what each binary layer got, in the order of the calls."""


class FloatFile:
    """The float graph that the binary one was made from, in the same runtime."""

    name = "the float file"

    def __init__(self, lowering: Lowering) -> None:
        self._layers = lowering.binary
        graph = lowering.floats
        self._quantizers = {id(layer.data): _quantizer(graph, layer.data) for layer in self._layers}
        self._outputs = len(graph.outputs)
        self._taps: dict[int, Tensor] = {}
        for layer in self._layers:
            for tensor in (layer.data, self._source(layer)):
                self._taps.setdefault(id(tensor), tensor)
        # A graph's outputs are all different ones, and no inputs.
        seen = {id(tensor) for tensor in (*graph.outputs, *graph.inputs)}
        more = [tensor for key, tensor in self._taps.items() if key not in seen]
        self._tensors = [*graph.outputs, *more]
        self._inputs = graph.inputs
        self._file = TfliteModel.of(Graph(graph.name, graph.inputs, self._tensors, graph.operators)).write()
        self._last: tuple[Sequence[Array], tuple[list[Array], list[LayerInput]]] | None = None

    def _source(self, layer: Layer) -> Tensor:
        found = self._quantizers[id(layer.data)]
        return layer.data if found is None else found[0].source

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[LayerInput]]:
        """Runs float32 inputs [N, ...], the very same ones but once: several runtimes are compared with it."""
        if self._last is None or self._last[0] is not inputs:
            self._last = inputs, self._run(inputs)
        return self._last[1]

    def _run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[LayerInput]]:
        outputs = run_float_file(self._file, inputs)
        known = {id(tensor): values for tensor, values in zip(self._inputs, inputs, strict=True)}
        known |= {id(tensor): values for tensor, values in zip(self._tensors, outputs, strict=True)}
        return outputs[: self._outputs], [self._call(layer, known) for layer in self._layers]

    def _call(self, layer: Layer, known: dict[int, Array]) -> LayerInput:
        quantized = known[id(layer.data)]
        found = self._quantizers[id(layer.data)]
        if found is None:
            return LayerInput(layer.name, quantized, np.zeros(quantized.shape, bool))
        cone, quantizer = found
        near = _changes(quantizer, known[id(cone.source)].reshape(-1, cone.channels))
        return LayerInput(layer.name, quantized, near.reshape(quantized.shape))


def _quantizer(graph: Graph, tensor: Tensor) -> tuple[Cone, Callable[[Array], Array]] | None:
    """The function of one tensor that gives a binary layer its input; None if there is none.

    One that is not monotone is only known as a step function of itself: then it is the function of the nearest tensor
    that takes many values.
    """
    steps = quantizer_of(graph, tensor)
    if not isinstance(steps, str) and steps.cone.operators:
        return steps.cone, steps
    for part in reshaped_from(graph, tensor):
        for cone in cones(graph, part):
            if values_of(graph, cone.source, lambda _: None) is None:
                return cone, cone.evaluator()
    return None


class KerasModel:
    """The Keras model that was exported."""

    name = "Keras"

    def __init__(self, model: Any) -> None:
        self._model = model

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[LayerInput]]:
        """Runs float32 inputs [N, ...]."""
        from mobile_bnn.converters.layers import run_recorded

        outputs, calls = run_recorded(self._model, inputs)
        return outputs, [LayerInput(call.layer, call.quantized, _changes(call.quantizer, call.real)) for call in calls]


def _changes(quantizer: Callable[[Array], Any], real: Array) -> Array:
    """Where a quantizer gives another value for a number that rounding may have moved."""
    margin = np.float32(max(TIE * float(np.abs(real).max()), _LEAST))
    changes: Array = np.asarray(quantizer(real - margin)) != np.asarray(quantizer(real + margin))
    return changes
