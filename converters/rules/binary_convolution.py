"""A convolution of an input of two values with a filter of few values is a sum of binary convolutions.

Let the input be a = m + d * s with s in {-1, +1}, and the filter w = sum_k c_k * B_k + e with B_k in {-1, +1}, c_k
and e per output channel. Where every tap lies inside the map

    conv(a, w) = sum_k d * c_k * conv(s, B_k)  +  m * sum(w)  +  e * d * conv(s, 1)

so each B_k is one LceBconv2d with multiplier d * c_k, e is one more with a filter of ones, and m * sum(w) goes into the
bias. A pixel outside of value v counts as the sign +1 if v = m + d. Else the binary convolution takes it for 0, that is
for the value m, or for +1 all the same; what it misses of v, times w, summed over the taps outside, is a constant map.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.bits import pack
from mobile_bnn.converters.graph import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.activations import quantizer
from mobile_bnn.converters.quantizers.weights import Base, BinaryWeights, binary_weights
from mobile_bnn.converters.rules.geometry import Geometry, look_through_padding
from mobile_bnn.converters.rules.signs import Signs, signs_of

Array = npt.NDArray[Any]

KINDS = frozenset({"CONV_2D"})
_SAME, _VALID = 0, 1
_RELUS = {
    schema.ActivationFunctionType.RELU: "RELU",
    schema.ActivationFunctionType.RELU_N1_TO_1: "RELU_N1_TO_1",
    schema.ActivationFunctionType.RELU6: "RELU6",
}


@dataclass(frozen=True)
class _Match:
    """A convolution of signs: y = sum over the filters' bases + bias + border.

    Attributes:
        signs: its input.
        pad_sign: what LceBconv2d has outside the map: 1, 0, or None if the map is padded explicitly with +1.
        geometry: of the convolution.
        bases: filters and multipliers.
        bias: float32 [O].
        border: float32 [1, H, W, O], or None if it is 0.
    """

    signs: Signs
    pad_sign: int | None
    geometry: Geometry
    bases: list[Base]
    bias: Array
    border: Array | None


def apply(graph: Graph, operator: Operator) -> str | None:
    """Rewrites a CONV_2D into LceQuantize and one LceBconv2d for each base of its filter.

    Returns:
        None if it did, else why not.
    """
    found = _match(graph, operator)
    if isinstance(found, str):
        return found
    _rewrite(graph, operator, found)
    return None


def _match(graph: Graph, operator: Operator) -> _Match | str:
    if operator.kind != "CONV_2D" or operator.inputs[1] is None:
        return "it is no convolution"
    values = operator.inputs[1].values
    if values is None or values.dtype != np.float32:
        return "its filter is no constant of float32"
    activation = operator.options.fusedActivationFunction
    if activation != schema.ActivationFunctionType.NONE and activation not in _RELUS:
        return "its fused activation is none that a binary convolution can be followed by"
    bias = _bias(operator)
    if bias is None:
        return "its bias is no constant of float32"
    weights = binary_weights(values)
    if isinstance(weights, str):
        return weights
    padded = look_through_padding(graph, operator, (values.shape[1], values.shape[2]))
    if padded.tensor.shape[-1] != values.shape[3]:
        return "it has groups"
    steps = quantizer(graph, padded.tensor)
    if isinstance(steps, str):
        return f"its input is not quantized: {steps}"
    signs = signs_of(steps)
    if isinstance(signs, str):
        return signs
    return _sum(signs, weights, values, bias, padded.value, padded.geometry)


def _bias(operator: Operator) -> Array | None:
    outputs = operator.output.shape[-1]
    if len(operator.inputs) < 3 or operator.inputs[2] is None:
        return np.zeros(outputs, np.float32)
    return operator.inputs[2].values


def _sum(
    signs: Signs, weights: BinaryWeights, values: Array, bias: Array, outside: float, geometry: Geometry
) -> _Match:
    pad_sign = _pad_sign(signs, outside, geometry)
    counted_as = signs.middle if pad_sign == 0 else signs.middle + signs.half
    exact = values.astype(np.float64)
    border = None
    if outside != counted_as and not geometry.is_valid:
        missing = np.einsum("hwyx,oyx->hwo", 1.0 - geometry.inside(), exact.sum(3))
        border = ((outside - counted_as) * missing)[None].astype(np.float32)
    bases = [Base(base.signs, (base.scale * signs.half).astype(np.float32)) for base in weights.bases]
    if weights.offset.any():
        bases.append(Base(np.zeros(values.shape, bool), (weights.offset * signs.half).astype(np.float32)))
    sums = signs.middle * exact.sum((1, 2, 3))
    return _Match(signs, pad_sign, geometry, bases, (bias + sums).astype(np.float32), border)


def _pad_sign(signs: Signs, outside: float, geometry: Geometry) -> int | None:
    """How LceBconv2d should see what is outside: as +1 or 0 where it can."""
    if geometry.is_valid:
        return 1
    if not geometry.is_same:
        return None
    if outside == signs.middle + signs.half:
        return 1
    # LCE's own kernels are wrong where the filter is larger than the map: files must be right there too.
    small = any(extent > size for extent, size in zip(geometry.extent, geometry.map_size, strict=True))
    return 1 if small else 0


def _rewrite(graph: Graph, operator: Operator, found: _Match) -> None:
    name = operator.output.name
    words, new = _packed(graph, found)
    total: Tensor | None = None
    for number, base in enumerate(found.bases):
        bias = found.bias if number == 0 else np.zeros_like(found.bias)
        term = Tensor.of(name, operator.output.shape, np.float32)
        new.append(_bconv(found, words, base, bias, term))
        total = term if total is None else _add(new, total, term)
    assert total is not None
    if found.border is not None:
        total = _add(new, total, Tensor.constant(f"{name}/border", found.border))
    activation = operator.options.fusedActivationFunction
    if activation in _RELUS:
        output = Tensor.of(name, operator.output.shape, np.float32)
        new.append(Operator.builtin(_RELUS[activation], [total], [output]))
        total = output
    graph.insert_before(operator, *new)
    graph.operators.remove(operator)
    graph.replace(operator.output, total)


def _packed(graph: Graph, found: _Match) -> tuple[Tensor, list[Operator]]:
    """The packed signs, and the operators that are needed for them; one LceQuantize serves all that read a tensor."""
    tensor, new = found.signs.argument()
    if found.pad_sign is None:
        tensor = _pad(new, tensor, found.geometry)
    if not new:
        for reader in graph.consumers(tensor):
            if reader.kind == "LceQuantize":
                return reader.output, []
    shape = (*tensor.shape[:-1], (tensor.shape[-1] + 31) // 32)
    words = Tensor.of(f"{tensor.name}/signs", shape, np.int32)
    new.append(Operator.custom("LceQuantize", [tensor], [words]))
    return words, new


def _pad(new: list[Operator], tensor: Tensor, geometry: Geometry) -> Tensor:
    amounts = np.array([(0, 0), *zip(geometry.before, geometry.after, strict=True), (0, 0)], np.int32)
    height, width = (
        size + front + back
        for size, front, back in zip(geometry.map_size, geometry.before, geometry.after, strict=True)
    )
    output = Tensor.of(f"{tensor.name}/padded", (tensor.shape[0], height, width, tensor.shape[3]), np.float32)
    inputs = [tensor, Tensor.constant("padding", amounts), Tensor.constant("one", np.ones((), np.float32))]
    new.append(Operator.builtin("PADV2", [*inputs], [output], schema.PadV2OptionsT()))
    return output


def _bconv(found: _Match, words: Tensor, base: Base, bias: Array, output: Tensor) -> Operator:
    geometry = found.geometry
    options = {
        "channels_in": base.signs.shape[3],
        "dilation_height_factor": geometry.dilation[0],
        "dilation_width_factor": geometry.dilation[1],
        "fused_activation_function": 0,
        "pad_values": 0 if found.pad_sign == 0 else 1,
        "padding": _VALID if geometry.is_valid or found.pad_sign is None else _SAME,
        "stride_height": geometry.stride[0],
        "stride_width": geometry.stride[1],
    }
    constants = [
        Tensor.constant(f"{output.name}/{name}", values)
        for name, values in (("filter", pack(base.signs)), ("multiplier", base.scale), ("bias", bias))
    ]
    return Operator.custom("LceBconv2d", [words, *constants, None], [output], options)


def _add(new: list[Operator], left: Tensor, right: Tensor) -> Tensor:
    output = Tensor.of(left.name, left.shape, np.float32)
    new.append(Operator.builtin("ADD", [left, right], [output], schema.AddOptionsT()))
    return output
