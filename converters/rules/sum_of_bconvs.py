"""A sum of binary convolutions as one linear form of their whole sums, and the grid of values that it can take.

    total = sum over j of multiplier_j * sum_j + offset,          sum_j whole, |sum_j| <= terms_j

Where in each channel every multiplier is a whole multiple n_j of one unit, total = unit * k + offset for a whole k,
|k| <= sum over j of |n_j| * terms_j. Multiples of one power of two are so exactly. Others count as whole where what
they lack is no more than a few roundings: quantizers compute their scales in float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.affine import activation_of, affine, dyadic_unit
from mobile_bnn.converters.rules.bconv import scale_and_bias, terms_of
from mobile_bnn.converters.rules.binarize.border_map import held_values, holder
from mobile_bnn.typing import Array

MOST = 2**22  # whole numbers and their halves up to this are exact in float32, and so are the kernels' steps to them
_TOLERANCE = 2.0**-20  # of a ratio: a few roundings
_SUMS = frozenset({"ADD", "SUB"})


@dataclass(frozen=True)
class Term:
    """A binary convolution of a sum, and what its whole sum is multiplied with before it is added: float64 [O]."""

    bconv: Operator
    multiplier: Array


@dataclass(frozen=True)
class Grid:
    """total = unit * k + offset.

    Attributes:
        unit: float64 [O], positive.
        counts: float64 [terms, O], whole.
        most: the largest |k|.
    """

    unit: Array
    counts: Array
    most: int


@dataclass(frozen=True)
class SumOfBconvs:
    """A linear form.

    Attributes:
        terms: whose results nobody else reads.
        offset: float64 [O], or [1, H, W, O] where it is another one in each pixel.
        operators: that add and scale, and put constants together; nobody else reads their results.
    """

    terms: list[Term]
    offset: Array
    operators: list[Operator]

    @property
    def is_plain(self) -> bool:
        """Whether the operators do nothing but add the terms and one constant map at most."""
        adding = [operator for operator in self.operators if operator.op_type != "GATHER"]
        return len(adding) == len(self.terms) - 1 + (self.offset.ndim > 1)


def sum_of_bconvs(graph: Graph, total: Tensor) -> SumOfBconvs:
    """Reads the binary convolutions that a tensor is the sum of, or the one that it is the result of.

    Raises:
        NoMatch: something else is part of it, or others read a part.
    """
    one = np.ones(total.shape[-1])
    terms, offset, operators = _read(graph, total, one)
    return SumOfBconvs(terms, offset, operators)


def grid_of(terms: Sequence[Term]) -> Grid:
    """The values that a sum can take.

    Raises:
        NoMatch: the multipliers have no common unit, or too small a one.
    """
    parts = np.array([term.multiplier for term in terms])
    sizes = np.array([terms_of(term.bconv) for term in terms], np.float64)
    unit = dyadic_unit(parts)
    exact = (np.abs(parts) / unit * sizes[:, None]).sum(0) <= MOST
    unit = np.where(exact, unit, _smallest(parts))
    counts = np.rint(parts / unit)
    if (np.abs(parts - counts * unit) > _TOLERANCE * np.abs(parts)).any():
        raise NoMatch(RefusalCode.ROUNDING, "the multipliers of its sum have no common unit")
    most = int((np.abs(counts) * sizes[:, None]).sum(0).max())
    if most > MOST:
        raise NoMatch(RefusalCode.ROUNDING, "the values of its sum are too many for float32's whole numbers")
    return Grid(unit, counts, most)


def _smallest(parts: Array) -> Array:
    """The smallest part of each channel that is not 0."""
    least = np.where(parts == 0, np.inf, np.abs(parts)).min(0)
    unit: Array = np.where(np.isinf(least), 1.0, least)
    return unit


_Found = tuple[list[Term], Array, list[Operator]]


def _read(graph: Graph, tensor: Tensor, factor: Array) -> _Found:
    producer = graph.producer(tensor)
    if producer is None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "an input of the graph is part of the sum")
    if producer.op_type == "LceBconv2d":
        if producer.custom_options["fused_activation_function"]:
            raise NoMatch(RefusalCode.ROUNDING, "a binary convolution of the sum has a fused activation")
        multiplier, bias = scale_and_bias(producer)
        return [Term(producer, multiplier * factor)], bias * factor, []
    if activation_of(producer):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{producer.op_type} of the sum has a fused activation")
    computed = [place for place, part in enumerate(producer.inputs) if part is not None and part.content is None]
    if len(computed) == 1:
        data = producer.input(computed[0])
        try:
            inner, summand = affine(producer, data)
        except NoMatch:
            return _with_map(graph, producer, factor)
        graph.only_reader(data)
        terms, offset, operators = _read(graph, data, factor * inner)
        return terms, offset + summand * factor, [*operators, producer]
    if producer.op_type not in _SUMS or len(computed) != 2:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{producer.op_type} is part of the sum")
    if any(holder(graph, producer, place) is not None for place in (0, 1)):
        return _with_map(graph, producer, factor)
    return _of_two(graph, producer, factor)


def _of_two(graph: Graph, add: Operator, factor: Array) -> _Found:
    terms, offset, operators = list[Term](), np.zeros(len(factor)), list[Operator]()
    for place, sign in enumerate((1, -1 if add.op_type == "SUB" else 1)):
        part = add.input(place)
        if part.shape != add.output.shape:
            raise NoMatch(RefusalCode.SHAPE_UNFIT, "a part of the sum is repeated")
        graph.only_reader(part)
        found = _read(graph, part, factor * sign)
        terms, operators = terms + found[0], operators + found[2]
        offset = offset + found[1]
    return terms, offset, [*operators, add]


def _with_map(graph: Graph, add: Operator, factor: Array) -> _Found:
    """A sum with a constant that is another one in each pixel."""
    if add.op_type not in _SUMS:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{add.op_type} is part of the sum")
    places = [place for place in (0, 1) if holder(graph, add, place) is None]
    if len(places) != 1:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{add.op_type} is part of the sum")
    place = places[0]
    data = add.input(place)
    values, gathers = held_values(graph, add, 1 - place)
    if data.shape != add.output.shape or values.shape != (1, *data.shape[1:]) or values.dtype != np.float32:
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "a constant of the sum is none of a pixel's channels")
    graph.only_reader(data)
    ours, theirs = (1, 1) if add.op_type == "ADD" else ((1, -1) if place == 0 else (-1, 1))
    terms, offset, operators = _read(graph, data, factor * ours)
    return terms, offset + values.astype(np.float64) * theirs * factor, [*operators, *gathers, add]
