"""A convolution of an input of few values with a filter of few values is a sum of binary convolutions.

Let the input be a = m + sum_i d_i * s_i with s_i in {-1, +1} and m per input channel (encoding.py), and the filter
w = sum_k c_k * B_k with B_k in {-1, +1} and c_k per output channel (filters.py). Where every tap lies inside the map

    conv(a, w) = sum_i sum_k d_i * c_k * conv(s_i, B_k)  +  sum(m * w)

so each pair is one LceBconv2d with multiplier d_i * c_k, and sum(m * w) goes into the bias. Outside, a pixel of value v
is a sum of signs too if v is one of the input's values: if all of them are +1, LceBconv2d has them itself, else they
are written out around what LceQuantize reads. Of another v, LceBconv2d makes 0, that is m, if it can (the usual zero
around {-1, +1}), or +1; what is missing, v less what it was counted as, times w, summed over the taps outside, is a
constant map (border_map.py).

A sum of several terms is one of whole numbers, scaled once after it, where the multipliers' ratios are whole: so what
cancels out is exactly 0, as in the float file, and a sign after it does not depend on rounding. Ratios are whole if
float32 explains what they lack (whole_ratios.py).
"""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter, has_fixed_size
from mobile_bnn.converters.quantizers.encoding import Around, Encoding, Plane, encode, packed
from mobile_bnn.converters.quantizers.filters import Filter
from mobile_bnn.converters.quantizers.steps import StepFunction
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.binarize import border_map
from mobile_bnn.converters.rules.binarize.whole_ratios import ROUNDING, are_whole
from mobile_bnn.converters.rules.conv_params import ConvParams
from mobile_bnn.typing import Array

_SAME, _VALID = 0, 1
_RELUS = {
    schema.ActivationFunctionType.RELU: "RELU",
    schema.ActivationFunctionType.RELU_N1_TO_1: "RELU_N1_TO_1",
    schema.ActivationFunctionType.RELU6: "RELU6",
}


@dataclass(frozen=True)
class Linear:
    """What a linear operator computes.

    Attributes:
        weights: float32, as in the file.
        bias: float32 [O].
    """

    weights: Array
    bias: Array


@dataclass(frozen=True)
class Convolution:
    """A linear operator as a convolution.

    Attributes:
        steps: the quantizer of its input.
        view: the input's shape [N, H, W, C], which may be a reshape of what the quantizer has.
        filter: of few values.
        bias: float32 [O].
        outside: the value of the pixels around the map.
        params: how the filter moves.
    """

    steps: StepFunction
    view: tuple[int, ...]
    filter: Filter
    bias: Array
    outside: float
    params: ConvParams


@dataclass(frozen=True)
class _Padding:
    """What is outside the map: nothing or what LceBconv2d's options say, or something that is written out.

    Attributes:
        pad_values: LceBconv2d's option.
        padding: the same.
        around: what is written out.
        counted: float64 [C], the value that the pixels outside count as.
    """

    pad_values: int
    padding: int
    around: Around | None
    counted: Array


def linear(operator: Operator, data: int = 0, bias: int = 2) -> Linear:
    """Reads a linear operator.

    Args:
        operator: whose second input is its filter.
        data: place of what it multiplies among its inputs.
        bias: the same of its bias.

    Raises:
        NoMatch: it has something that a binary convolution does not have.
    """
    weights = None if operator.inputs[1] is None else operator.inputs[1].values
    if weights is None or weights.dtype != np.float32:
        raise NoMatch(RefusalCode.FILTER_NOT_CONSTANT, "its filter is not a constant of float32")
    activation = operator.options.fusedActivationFunction
    if activation != schema.ActivationFunctionType.NONE and activation not in _RELUS:
        text = "its fused activation is not one that can follow a binary convolution"
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, text)
    summand = _bias(operator, bias)
    if summand is None:
        raise NoMatch(RefusalCode.BIAS_NOT_CONSTANT, "its bias is not a constant of float32")
    if not has_fixed_size(operator.input(data)):
        raise NoMatch(RefusalCode.INPUT_SHAPE_OPEN, "the shape of its input is not fixed")
    return Linear(weights, summand)


def _bias(operator: Operator, place: int) -> Array | None:
    tensor = operator.inputs[place] if len(operator.inputs) > place else None
    if tensor is None:
        return np.zeros(operator.output.shape[-1], np.float32)
    values = tensor.values
    return None if values is None else values.reshape(-1)  # jax2tf writes [1, 1, 1, O]


def lower(graph: Graph, operator: Operator, found: Convolution) -> list[tuple[Operator, Plane]]:
    """Rewrites an operator into LceQuantize and LceBconv2d, one for each sign of its input and base of its filter.

    Returns:
        The LceBconv2d, each with the sign that it reads.

    Raises:
        NoMatch: its input is not a sum of signs, or another one in each channel.
    """
    terms = encode(found.steps, len(found.filter.bases))
    check_channels(found, terms)
    rewriter = Rewriter(graph, operator)
    total, made = add_sum(rewriter, operator.output.name, found, terms)
    total = rewriter.first_channels(total, found.filter.outputs)
    rewriter.finish(rewriter.reshape(activated(rewriter, operator, total), operator.output.shape))
    return made


def check_channels(found: Convolution, terms: Encoding) -> None:
    """Checks that the input is the same sum of signs in all channels, or that the filter knows its channels.

    Raises:
        NoMatch: neither is the case.
    """
    _per_channel(terms.middle, found)


def add_sum(
    rewriter: Rewriter, name: str, found: Convolution, terms: Encoding
) -> tuple[Tensor, list[tuple[Operator, Plane]]]:
    """Adds the operators of a convolution, for which `check_channels` was called; the activation is not among them.

    Args:
        rewriter: where.
        name: of the result.
        found: the convolution.
        terms: its input as a sum of signs.

    Returns:
        The result [N, H, W, O], and the LceBconv2d, each with the sign that it reads.
    """
    middle = _per_channel(terms.middle, found)
    padding = _padding(found, terms, middle)
    sum_ = _sum(found, terms, middle)
    shape = (*found.view[:1], *found.params.output_size, len(sum_.bias))
    total: Tensor | None = None
    bias = sum_.bias
    made = list[tuple[Operator, Plane]]()
    maps = packed(rewriter, terms, found.view, padding.around)
    for number, (words, multipliers) in enumerate(zip(maps, sum_.multipliers, strict=True)):
        for base, multiplier in zip(found.filter.bases, multipliers, strict=True):
            constants = {"filter": pack(base.signs), "multiplier": multiplier, "bias": bias}
            output = Tensor.of(name, shape, np.float32)
            plane = Plane(terms, number, padding.around.before if padding.around else (0, 0))
            made.append((rewriter.bconv(words, constants, output, _options(found, padding)), plane))
            total, bias = output if total is None else rewriter.elementwise("ADD", total, output), np.zeros_like(bias)
    assert total is not None
    if sum_.unit is not None:
        total = rewriter.elementwise("MUL", total, sum_.unit)
    if sum_.rest.any():
        total = rewriter.elementwise("ADD", total, sum_.rest)
    if (border := _border(found, padding)) is not None:
        total = rewriter.elementwise("ADD", total, border_map.put(rewriter, name, border))
    return total, made


@dataclass(frozen=True)
class _Sum:
    """unit * (sum of multiplier * binary convolution + bias) + rest, all float32 [O].

    Attributes:
        multipliers: for each sign of the input, for each base of the filter.
        bias: inside.
        unit: None for 1.
        rest: outside.
    """

    multipliers: list[list[Array]]
    bias: Array
    unit: Array | None
    rest: Array


def _sum(found: Convolution, terms: Encoding, middle: Array) -> _Sum:
    bases = found.filter.bases
    bias = np.zeros(len(found.filter.values))
    bias[: len(found.bias)] = found.bias
    constant = np.zeros(len(bias))
    if middle.any():  # or large filters would be copied for nothing
        taps = found.filter.values.sum((1, 2), dtype=np.float64)
        constant = np.einsum("oc,oc->o", taps, found.filter.per_output(middle))
    products = [[half * base.scale.astype(np.float64) for base in bases] for half in terms.amplitudes]
    unit = np.min([[np.where(part == 0, np.inf, np.abs(part)) for part in row] for row in products], axis=(0, 1))
    unit = np.where(np.isinf(unit), 1.0, unit)
    ratios = np.array(products) / unit
    weights = np.abs(found.filter.values).max((1, 2, 3)).astype(np.float64)
    whole = are_whole(ratios, terms.amplitudes, terms.levels.largest, [base.scale for base in bases], weights)
    if len(products) * len(bases) == 1 or not whole or (np.frexp(unit)[0] == 0.5).all():
        multipliers = [[part.astype(np.float32) for part in row] for row in products]
        return _Sum(multipliers, (bias + constant).astype(np.float32), None, np.zeros(1, np.float32))
    multipliers = [[part.astype(np.float32) for part in row] for row in np.rint(ratios)]
    inside = np.rint(constant / unit)
    rest = constant - inside * unit
    taps = np.abs(found.filter.values).sum((1, 2), dtype=np.float64)
    middles = found.filter.per_output(np.abs(middle)).sum(1) * found.filter.values[0, :, :, 0].size
    rounding = ROUNDING * (terms.levels.largest * taps.sum(1) + weights * middles)
    rest = np.where(np.abs(rest) <= rounding, 0, rest) + bias
    return _Sum(multipliers, inside.astype(np.float32), unit.astype(np.float32), rest.astype(np.float32))


def activated(rewriter: Rewriter, operator: Operator, total: Tensor) -> Tensor:
    """A tensor after an operator's fused activation."""
    activation = operator.options.fusedActivationFunction
    if activation in _RELUS:
        output = Tensor.of(total.name, total.shape, np.float32)
        total = rewriter.add(Operator.builtin(_RELUS[activation], [total], [output]))
    return total


def _per_channel(middle: Array, found: Convolution) -> Array:
    if (middle == middle[0]).all():
        return np.full(found.filter.channels, middle[0])
    if len(middle) != found.view[3]:
        raise NoMatch(RefusalCode.INPUT_CHANNELS_DIFFER, "its input has other values in each channel")
    return np.pad(middle, (0, found.filter.channels - len(middle)))


def _padding(found: Convolution, terms: Encoding, middle: Array) -> _Padding:
    params = found.params
    value = np.full_like(middle, found.outside)
    if params.is_valid:
        return _Padding(1, _VALID, None, value)
    level = terms.levels.index(found.outside)
    if level is None and params.is_same and not params.is_small:
        return _Padding(0, _SAME, None, middle)
    signs = np.ones(len(terms.amplitudes), bool) if level is None else terms.codewords[:, level]
    counted = middle + sum(terms.amplitudes) if level is None else value
    if signs.all() and params.is_same:
        return _Padding(1, _SAME, None, counted)
    return _Padding(1, _VALID, Around(signs, params.pad_before, params.pad_after), counted)


def _border(found: Convolution, padding: _Padding) -> Array | None:
    """What the taps outside add besides what they are counted as: float32 [1, H, W, O], None if nothing."""
    missing = found.outside - padding.counted
    if found.params.is_valid or not missing.any():
        return None
    taps = np.einsum("oyxc,oc->oyx", found.filter.values, found.filter.per_output(missing))
    border = np.einsum("hwyx,oyx->hwo", 1.0 - found.params.inside(), taps)
    return np.asarray(border[None], np.float32)


def _options(found: Convolution, padding: _Padding) -> dict[str, int]:
    params = found.params
    return {
        "channels_in": found.filter.channels,
        "dilation_height_factor": params.dilation[0],
        "dilation_width_factor": params.dilation[1],
        "fused_activation_function": 0,
        "pad_values": padding.pad_values,
        "padding": padding.padding,
        "stride_height": params.stride[0],
        "stride_width": params.stride[1],
    }
