"""Wrong files of one changed number: a threshold, a bias, a scale, a bit of a filter, a pixel or tap of padding."""

from collections.abc import Callable
from random import Random

import numpy as np

from mobile_bnn.converters.graph.bit_packing import pack, unpack
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.rules.bconv import has_groups, pads_with_zeros, replaced

Applies = Callable[[Graph, Operator], bool]
Change = Callable[[Graph, Operator, Random], None]
_FILTER, _SCALE, _BIAS, _THRESHOLD = 1, 2, 3, 4  # inputs of an LceBconv2d
_AFFINE = ("ADD", "SUB", "MUL", "PRELU", "MAXIMUM", "MINIMUM")


def is_bconv(graph: Graph, operator: Operator) -> bool:
    return operator.op_type == "LceBconv2d"


def holds(operator: Operator, place: int) -> bool:
    """Whether an input is a constant."""
    tensor = operator.inputs[place] if place < len(operator.inputs) else None
    return tensor is not None and tensor.values is not None and tensor.values.size > 0


def put(graph: Graph, operator: Operator, place: int, values: np.ndarray) -> None:
    """Lets an operator read another constant."""
    inputs = list(operator.inputs)
    inputs[place] = Tensor.constant(operator.input(place).name, values)
    graph.set_inputs(operator, inputs)


def _changed(values: np.ndarray, random: Random, change: Callable[[np.generic], object]) -> np.ndarray:
    flat = values.reshape(-1).copy()
    place = random.randrange(flat.size)
    flat[place] = change(flat[place])
    return flat.reshape(values.shape)


def _constant(operator: Operator) -> int:
    return 0 if holds(operator, 0) else 1


def _of(place: int) -> Applies:
    return lambda graph, operator: is_bconv(graph, operator) and holds(operator, place)


def _several(place: int) -> Applies:
    return lambda graph, operator: _of(place)(graph, operator) and len(operator.constant(place)) > 1


def _swapped(place: int) -> Change:
    """Two output channels have each other's."""

    def change(graph: Graph, operator: Operator, random: Random) -> None:
        values = operator.constant(place).copy()
        one, other = random.sample(range(len(values)), 2)
        values[[one, other]] = values[[other, one]]
        put(graph, operator, place, values)

    return change


def _threshold(graph: Graph, operator: Operator, random: Random) -> None:
    step = random.choice((-1, 1))
    put(graph, operator, _THRESHOLD, _changed(operator.constant(_THRESHOLD), random, lambda value: value + step))


def _bias(share: float) -> Change:
    """By so many steps of the sum, where two of its thresholds or values are neighbours."""

    def change(graph: Graph, operator: Operator, random: Random) -> None:
        multiplier, moved = operator.constant(_SCALE), operator.constant(_BIAS).copy()
        channel = random.randrange(moved.size)
        moved[channel] += share * random.choice((-1, 1)) * (abs(multiplier[channel]) or 1)
        put(graph, operator, _BIAS, moved)

    return change


def _scale(graph: Graph, operator: Operator, random: Random) -> None:
    factor = random.choice((-1, 0.5, 2))
    put(graph, operator, _SCALE, _changed(operator.constant(_SCALE), random, lambda value: value * factor))


def _channels(operator: Operator) -> int:
    """Of the input that a filter reads."""
    return int(min(32 * operator.constant(_FILTER).shape[3], operator.custom_options["channels_in"]))


def _filter_bit(graph: Graph, operator: Operator, random: Random) -> None:
    words = operator.constant(_FILTER).view(np.uint32).copy()
    index = tuple(random.randrange(size) for size in words.shape[:3])
    channel = random.randrange(_channels(operator))
    words[(*index, channel // 32)] ^= np.uint32(1 << channel % 32)
    put(graph, operator, _FILTER, words.view(np.int32))


def _input_channels(graph: Graph, operator: Operator, random: Random) -> None:
    """All filters take two input channels for each other."""
    bits = unpack(operator.constant(_FILTER), _channels(operator)).copy()
    one, other = random.sample(range(bits.shape[3]), 2)
    bits[..., [one, other]] = bits[..., [other, one]]
    put(graph, operator, _FILTER, pack(bits))


def _tap_order(graph: Graph, operator: Operator, random: Random) -> None:
    """The filter is turned around."""
    axis = random.choice((1, 2))
    put(graph, operator, _FILTER, np.flip(operator.constant(_FILTER), axis).copy())


def _pad_values(graph: Graph, operator: Operator, random: Random) -> None:
    options = {"pad_values": 1 - operator.custom_options["pad_values"]}
    replaced(graph, operator, operator.output, operator.inputs[1:], **options)


def _strictness(graph: Graph, operator: Operator, random: Random) -> None:
    """The float before or after a threshold; of 0 the smallest normal one."""
    up, tiny = random.choice((-np.inf, np.inf)), np.finfo(np.float32).tiny

    def neighbour(value: np.generic) -> object:
        if abs(float(value)) <= tiny:
            return np.float32(0) if value else np.float32(-tiny)
        return np.nextafter(value, np.float32(up))

    place = _constant(operator)
    put(graph, operator, place, _changed(operator.constant(place), random, neighbour))


def _reads_sign(graph: Graph, operator: Operator) -> bool:
    if operator.op_type not in ("ADD", "SUB") or holds(operator, 0) == holds(operator, 1):
        return False
    return any(reader.op_type == "LceQuantize" for reader in graph.consumers(operator.output))


def _padded_pixel(graph: Graph, operator: Operator, random: Random) -> None:
    value = operator.constant(2)
    turned = ~value if value.dtype == np.int32 else np.where(value < 0, 1, -1).astype(np.float32)
    put(graph, operator, 2, np.asarray(turned, value.dtype))


def _padded_sides(graph: Graph, operator: Operator, random: Random) -> None:
    """What is put above and on the left goes below and to the right."""
    put(graph, operator, 1, operator.constant(1)[:, ::-1].copy())


def _is_lopsided(graph: Graph, operator: Operator) -> bool:
    if operator.op_type not in ("PAD", "PADV2") or not holds(operator, 1):
        return False
    amounts = operator.constant(1)
    return bool((amounts[:, 0] != amounts[:, 1]).any())


def _number(graph: Graph, operator: Operator, random: Random) -> None:
    """By the least of the numbers beside it."""
    place = 0 if operator.op_type == "GATHER" else _constant(operator)
    values = operator.constant(place)
    steps = np.abs(values[values != 0])
    step = float(steps.min()) if steps.size else 1.0
    put(graph, operator, place, _changed(values, random, lambda value: value + np.float32(step)))


def _holds_map(graph: Graph, operator: Operator) -> bool:
    if operator.op_type == "GATHER":
        return holds(operator, 0)
    return operator.op_type == "ADD" and any(holds(operator, p) and operator.input(p).values.ndim == 4 for p in (0, 1))


def _holds_numbers(graph: Graph, operator: Operator) -> bool:
    if operator.op_type not in _AFFINE or _holds_map(graph, operator):
        return False
    places = [place for place in (0, 1) if holds(operator, place)]
    return len(places) == 1 and operator.input(places[0]).dtype == np.float32


def _places(graph: Graph, operator: Operator, random: Random) -> None:
    """A row or column is taken from elsewhere."""
    places, count = operator.constant(1), operator.input(0).shape[operator.options.axis]
    put(graph, operator, 1, _changed(places, random, lambda place: (place + random.randrange(1, count)) % count))


def _gathers(graph: Graph, operator: Operator) -> bool:
    return operator.op_type == "GATHER" and operator.input(0).shape[operator.options.axis] > 1


def _bit(graph: Graph, operator: Operator, random: Random) -> None:
    place = _constant(operator)
    bit = np.int32(1 << random.randrange(operator.output.shape[3] and 5))
    put(graph, operator, place, _changed(operator.constant(place), random, lambda value: value ^ bit))


KINDS: dict[str, tuple[Applies, Change]] = {
    "threshold by one": (_of(_THRESHOLD), _threshold),
    "thresholds swapped": (_several(_THRESHOLD), _swapped(_THRESHOLD)),
    "bias by one step": (_of(_BIAS), _bias(1)),
    "bias by half a step": (_of(_BIAS), _bias(0.5)),
    "biases swapped": (_several(_BIAS), _swapped(_BIAS)),
    "scale": (_of(_SCALE), _scale),
    "scales swapped": (_several(_SCALE), _swapped(_SCALE)),
    "bit of a filter": (is_bconv, _filter_bit),
    "filters swapped": (_several(_FILTER), _swapped(_FILTER)),
    "taps turned around": (is_bconv, _tap_order),
    "input channels swapped": (
        lambda graph, o: is_bconv(graph, o) and not has_groups(o) and _channels(o) > 1,
        _input_channels,
    ),
    "padding of a convolution": (
        lambda graph, o: (
            is_bconv(graph, o) and o.custom_options["padding"] == 0 and (pads_with_zeros(o) or not holds(o, _THRESHOLD))
        ),
        _pad_values,
    ),
    "> for >=": (_reads_sign, _strictness),
    "pixel of a PAD": (lambda graph, o: o.op_type == "PADV2" and holds(o, 2), _padded_pixel),
    "sides of a PAD": (_is_lopsided, _padded_sides),
    "tap of a border": (_holds_map, _number),
    "place of a border": (_gathers, _places),
    "number of an operator": (_holds_numbers, _number),
    "bit of an XOR": (lambda graph, o: o.op_type == "BITWISE_XOR" and (holds(o, 0) or holds(o, 1)), _bit),
}
