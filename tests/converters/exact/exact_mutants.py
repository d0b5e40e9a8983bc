"""Wrong files: exact ones with one number changed by the least that can matter, and whether the comparison names them.

A mutant moves a threshold by one, makes > of >= or the other way around, turns one sign of one filter, or changes one
pixel or tap of padding. It is alive if it changes any bit of any output on the network's images, and a number at that:
-0.0 for 0.0 is none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.bconv import pads_with_zeros, replaced
from mobile_bnn.converters.source import Source
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.reference import FloatFile
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.errors import MobileBnnError
from tests.converters.exact.exact_networks import ExactNetwork

_Change = Callable[[Graph, Operator, Random], None]
_PIECES = 2  # mutants of one operator and kind


@dataclass(frozen=True)
class Mutant:
    """A wrong file.

    Attributes:
        kind: what was changed.
        alive: whether an output changed.
        named: whether the comparison found it.
    """

    kind: str
    alive: bool
    named: bool


def mutants(network: ExactNetwork) -> Iterator[Mutant]:
    """The mutants of a network's file, each compared."""
    images = network.images()
    model, lowering = Source.of_tflite(network.flatbuffer()).lower()
    right = model.write()
    (expected,) = FileRunner(right).run([images])
    reference = FloatFile(lowering)
    random = Random(network.seed)
    for kind, flatbuffer in _files(right, random):
        try:
            (output,) = FileRunner(flatbuffer).run([images])
        except MobileBnnError:  # refused by the runtime: nobody can be misled
            continue
        alive = not np.array_equal(output, expected)
        named = False
        if alive:
            try:
                comparison = Comparison(lowering, flatbuffer, reference)
                comparison.add([images])
                named = bool(comparison.errors)
            except MobileBnnError:  # it holds what is none of the model's
                named = True
        yield Mutant(kind, alive, named)


def _files(right: bytes, random: Random) -> Iterator[tuple[str, bytes]]:
    places = range(len(TfliteModel.read(right).graphs[0].operators))
    for place in places:
        for kind, (applies, change) in _KINDS.items():
            for _ in range(_PIECES):
                model = TfliteModel.read(right)
                graph = model.graphs[0]
                operator = graph.operators[place]
                if applies(graph, operator):
                    change(graph, operator, random)
                    yield kind, model.write()


def _with_constant(graph: Graph, operator: Operator, place: int, values: np.ndarray) -> None:
    inputs = list(operator.inputs)
    inputs[place] = Tensor.constant(operator.input(place).name, values)
    graph.set_inputs(operator, inputs)


def _has(operator: Operator, place: int) -> bool:
    tensor = operator.inputs[place] if place < len(operator.inputs) else None
    return tensor is not None and tensor.values is not None and tensor.values.size > 0


def _changed(values: np.ndarray, random: Random, change: Callable[[np.generic], object]) -> np.ndarray:
    flat = values.reshape(-1).copy()
    place = random.randrange(flat.size)
    flat[place] = change(flat[place])
    return flat.reshape(values.shape)


def _threshold(graph: Graph, operator: Operator, random: Random) -> None:
    step = random.choice((-1, 1))
    _with_constant(graph, operator, 4, _changed(operator.constant(4), random, lambda value: value + step))


def _bias(graph: Graph, operator: Operator, random: Random) -> None:
    """By one step of the sum: two thresholds of a neighbour, or a value."""
    multiplier, bias = operator.constant(2), operator.constant(3)
    channel, step = random.randrange(bias.size), random.choice((-1, 1))
    moved = bias.copy()
    moved[channel] += step * (abs(multiplier[channel]) or 1)
    _with_constant(graph, operator, 3, moved)


def _filter_sign(graph: Graph, operator: Operator, random: Random) -> None:
    words = operator.constant(1).view(np.uint32).copy()
    channels = min(32 * words.shape[3], operator.custom_options["channels_in"])
    index = tuple(random.randrange(size) for size in words.shape[:3])
    channel = random.randrange(channels)
    words[(*index, channel // 32)] ^= np.uint32(1 << channel % 32)
    _with_constant(graph, operator, 1, words.view(np.int32))


def _pad_values(graph: Graph, operator: Operator, random: Random) -> None:
    options = {"pad_values": 1 - operator.custom_options["pad_values"]}
    replaced(graph, operator, operator.output, operator.inputs[1:], **options)


def _strictness(graph: Graph, operator: Operator, random: Random) -> None:
    """The float before or after a threshold; of 0 the smallest normal one."""
    place = 0 if _has(operator, 0) else 1
    values, up = operator.constant(place), random.choice((-np.inf, np.inf))
    tiny = np.finfo(np.float32).tiny

    def neighbour(value: np.generic) -> object:
        if abs(float(value)) <= tiny:
            return np.float32(0) if value else np.float32(-tiny)
        return np.nextafter(value, np.float32(up))

    _with_constant(graph, operator, place, _changed(values, random, neighbour))


def _reads_sign(graph: Graph, operator: Operator) -> bool:
    if operator.op_type != "ADD" or _has(operator, 0) == _has(operator, 1):
        return False
    return any(reader.op_type == "LceQuantize" for reader in graph.consumers(operator.output))


def _padded_pixel(graph: Graph, operator: Operator, random: Random) -> None:
    value = operator.constant(2)
    turned = ~value if value.dtype == np.int32 else np.where(value < 0, 1, -1).astype(np.float32)
    _with_constant(graph, operator, 2, np.asarray(turned, value.dtype))


def _map_value(graph: Graph, operator: Operator, random: Random) -> None:
    place = 0 if _has(operator, 0) else 1
    values = operator.constant(place)
    steps = np.abs(values[values != 0])
    step = float(steps.min()) if steps.size else 1.0
    _with_constant(graph, operator, place, _changed(values, random, lambda value: value + np.float32(step)))


def _holds_map(graph: Graph, operator: Operator) -> bool:
    if operator.op_type == "GATHER":
        return _has(operator, 0)
    return operator.op_type == "ADD" and any(_has(operator, p) and operator.input(p).values.ndim == 4 for p in (0, 1))


def _is_bconv(operator: Operator) -> bool:
    return operator.op_type == "LceBconv2d"


_KINDS: dict[str, tuple[Callable[[Graph, Operator], bool], _Change]] = {
    "threshold by one": (lambda _, o: _is_bconv(o) and _has(o, 4), _threshold),
    "bias by one step": (lambda _, o: _is_bconv(o) and _has(o, 3), _bias),
    "sign of a filter": (lambda _, o: _is_bconv(o), _filter_sign),
    "padding of a convolution": (
        lambda _, o: _is_bconv(o) and o.custom_options["padding"] == 0 and (pads_with_zeros(o) or not _has(o, 4)),
        _pad_values,
    ),
    "> for >=": (_reads_sign, _strictness),
    "pixel of a PAD": (lambda _, o: o.op_type == "PADV2" and _has(o, 2), _padded_pixel),
    "tap of a border": (_holds_map, _map_value),
}
