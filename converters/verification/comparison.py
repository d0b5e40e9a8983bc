"""A binary file beside what it should compute, layer by layer: counts sign flips and tells rounding from errors."""

import math
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field

import numpy as np

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Layer, Lowering
from mobile_bnn.converters.verification.activations import Given, is_sample_by_sample, padding_before, read, within
from mobile_bnn.converters.verification.call_pairs import assign
from mobile_bnn.converters.verification.error_bounds.bound import TINY
from mobile_bnn.converters.verification.instrument import InstrumentedModel, Runner, binary_operators
from mobile_bnn.converters.verification.reference import LayerInput, Reference, ReferenceRun
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.records import LayerCheck
from mobile_bnn.typing import Array

_MOST_VALUES = 32  # of an input that signs can stand for
_FIRST = 4096  # elements that mostly have them all


@dataclass
class _Count:
    operator: int
    bits: int = 0
    flips: int = 0
    ties: int = 0
    consequences: int = 0
    rounding: float = 0.0


@dataclass
class Comparison:
    """Compares a binary file with a reference on any number of batches.

    Args:
        lowering: of the float graph that the file was made from.
        flatbuffer: the file's bytes.
        reference: what is right.
        runner: makes a runner of a file.
        like: a comparison of the same file, which has read it already.

    Attributes:
        file: what was read.
    """

    lowering: Lowering
    flatbuffer: bytes
    reference: Reference
    runner: Callable[[bytes], Runner] = FileRunner
    like: InitVar["Comparison | None"] = None
    samples: int = 0
    errors: list[str] = field(default_factory=list)

    def __post_init__(self, like: "Comparison | None") -> None:
        self._opposite = [False] * len(self.lowering.binary)
        self._names = [layer.name for layer in self.lowering.binary]
        self.file: TfliteModel = TfliteModel.read(self.flatbuffer) if like is None else like.file
        self._instrumented = self._instrument() if like is None else like.in_runner(self.runner)
        self._operators = self._instrumented.operators
        self._counts = self._no_counts()
        self._doubtful = any(len({n for n, _ in each.fits.values()}) > 1 for each in self._operators)

    def in_runner(self, runner: Callable[[bytes], Runner]) -> InstrumentedModel:
        """The file with what goes into its binary layers, in a runner of its own or in this one."""
        return self._instrumented.in_runner(runner)

    def _instrument(self) -> InstrumentedModel:
        operators = binary_operators(self.file.graphs[0], self.lowering.binary)
        strangers = [str(operator.index) for operator in operators if operator.layer < 0]
        if strangers:
            raise MobileBnnError(
                f"binary operators {', '.join(strangers)} hold filters that no layer of the model has",
                cure="Verify the file against the model that it was made from",
            )
        return InstrumentedModel(self.file, operators, self.runner)

    def _no_counts(self) -> dict[int, _Count]:
        counts: dict[int, _Count] = {}
        for operator in self._operators:
            counts.setdefault(operator.layer, _Count(operator.index))
        return counts

    def float_layers(self) -> list[str]:
        """The layers that could be binary and have no operator in the file."""
        there = [self.lowering.binary[number] for number in self._counts]
        missing = [layer for number, layer in enumerate(self.lowering.binary) if number not in self._counts]
        return [layer.name for layer in missing if not any(_is_same(layer, other) for other in there)]

    def checks(self) -> list[LayerCheck]:
        """What was counted so far, layer by layer."""
        return [LayerCheck(layer=self._names[number], **vars(count)) for number, count in sorted(self._counts.items())]

    def start(self, inputs: Sequence[Array]) -> None:
        """Begins to run a batch that `add` will be given, where the file runs in another process."""
        self._instrumented.start(inputs)

    def close(self) -> None:
        """Ends that process, if there is one."""
        self._instrumented.close()

    def add(self, inputs: Sequence[Array], tainted: Array | None = None) -> Array:
        """Runs a batch of inputs [N, ...] through both and counts.

        The reference computes each binary layer with what the file has before it. So a flip is seen once, where it
        arises: it is a *tie* where rounding explains it. Layers that this is not possible for see the flips of others:
        then it is a *propagated flip* where an earlier layer of the same sample had a tie. What neither explains goes
        into `errors`, the first layer first.

        Args:
            inputs: of the model.
            tainted: bool [N], samples in which bits may have flipped that are not seen here, in a subgraph.

        Returns:
            Bool [N], the samples in which some bit lies so near to a threshold that rounding may flip it.
        """
        outputs, bits = self._instrumented.run(inputs)
        if self._doubtful:
            self._tell_apart(inputs, bits)
        own: dict[int, list[Array]] = {number: [] for number in self._counts}
        for operator, found in zip(self._operators, bits, strict=True):
            own[operator.layer].append(found ^ operator.turned)
        given, expected = self._run_reference(inputs, own)
        tainted = np.zeros(len(inputs[0]), bool) if tainted is None else tainted.copy()
        near = tainted.copy()
        for call in expected.calls:
            number = call.number
            if len(call.near) % len(near) == 0:
                near |= _any(call.near, len(near))
            if number in given and call.replaced:
                self._tally(number, call, given[number].differ(call.quantized), tainted)
            elif number in self._counts:
                flips = self._searched_flips(number, call, own[number], tainted)
                if flips is not None:
                    self._tally(number, call, flips, tainted)
                    tainted |= _any(flips, len(tainted))
            else:  # the layer stayed float: its flips cannot be seen
                tainted |= _any(call.near, len(tainted))
        self.samples += len(inputs[0])
        for number, (theirs, margin, ours) in enumerate(zip(expected.outputs, expected.margins, outputs, strict=True)):
            name = f"output {number}" if len(outputs) > 1 else "output"
            self._compare_output(name, theirs, margin, ours, tainted)
        return near | tainted

    def _tell_apart(self, inputs: Sequence[Array], bits: Sequence[Array]) -> None:
        """Gives operators of equal filters, once, to those layers that read what they read: the calls of one layer."""
        calls = {call.number: call for call in self.reference.run(inputs, {}).calls}
        apart = {
            (at, place): self._apart(number, calls.get(number), bits[at] ^ turned)
            for at, operator in enumerate(self._operators)
            for place, (number, turned) in operator.fits.items()
        }
        places = assign(apart)
        self._operators = [operator.at(places[at]) for at, operator in enumerate(self._operators)]
        self._counts, self._doubtful = self._no_counts(), False

    def _apart(self, number: int, call: LayerInput | None, own: Array) -> float:
        """How many bits of an operator are not those of a layer; infinite if that cannot be told."""
        if call is None:
            return math.inf
        before = max(padding_before(self.lowering.binary[number], len(self.lowering.binary[number].filters)))
        bits, values = within(own, call.quantized.shape, before), _levels(call.quantized)
        if bits is None or len(values) > _MOST_VALUES:
            return math.inf
        return float((_flips(call.quantized, values, bits, len(values) > 2, ~call.near) & ~call.near).sum())

    def _run_reference(
        self, inputs: Sequence[Array], own: dict[int, list[Array]]
    ) -> tuple[dict[int, Given], ReferenceRun]:
        """Runs it with what the layers read in the file."""
        while True:
            found = {number: self._read(number, bits, len(inputs[0])) for number, bits in own.items()}
            given = {number: each for number, each in found.items() if each is not None}
            result = self.reference.run(inputs, given)
            calls = {call.number: call for call in result.calls if call.number in given}
            wrong = next(
                (n for n, call in calls.items() if not self._opposite[n] and _is_opposite(call, given[n])), None
            )
            if wrong is None:
                return given, result
            self._opposite[wrong] = True

    def _read(self, number: int, bits: list[Array], samples: int) -> Given | None:
        layer = self.lowering.binary[number]
        if not is_sample_by_sample(self.lowering, layer):
            return None
        return read(layer, bits, samples, opposite=self._opposite[number])

    def _searched_flips(self, number: int, call: LayerInput, own: list[Array], tainted: Array) -> Array | None:
        """The flips of any of a layer's operators; None if they cannot be told, which is an error."""
        values = _levels(call.quantized)
        if len(values) > _MOST_VALUES:
            self.errors.append(f"{call.layer}: {self.reference.name} feeds it {len(values)} values, the file signs")
            return None
        shape, known = call.quantized.shape, list[Array]()
        if shape[0] % len(tainted):
            self.errors.append(f"{call.layer}: {self.reference.name} feeds it {shape} for {len(tainted)} samples")
            return None
        for packed, before in zip(own, padding_before(self.lowering.binary[number], len(own)), strict=True):
            bits = within(packed, shape, before)
            if bits is None:
                self.errors.append(f"{call.layer}: {self.reference.name} feeds it {shape}, the file {packed.shape}")
                return None
            known.append(bits)
        # Operators of different bits read different steps, and the samples may lie on one side of some of them.
        steps = len(values) > 2 or any((bits != known[0]).any() for bits in known)
        certain = ~(call.near | _for_all(tainted, call.quantized))
        flips: Array = np.any([_flips(call.quantized, values, bits, steps, certain) for bits in known], axis=0)
        return flips

    def _tally(self, number: int, call: LayerInput, flips: Array, tainted: Array) -> None:
        count, unexpected = self._counts[number], flips & ~call.near
        followed = unexpected & _for_all(tainted, flips)
        count.bits += flips.size
        count.rounding = max(count.rounding, call.rounding)
        count.flips += int(flips.sum())
        count.ties += int((flips & call.near).sum())
        count.consequences += int(followed.sum())
        if unexplained := int((unexpected & ~followed).sum()):
            self.errors.append(
                f"{call.layer}: {unexplained} of {flips.size} input bits differ from {self.reference.name},"
                + (f" by more than rounding ({call.rounding:.2g})" if call.rounding else " where nothing is rounded")
            )

    def _compare_output(self, name: str, expected: Array, margin: Array, output: Array, tainted: Array) -> None:
        if expected.shape != output.shape:
            self.errors.append(f"{name}: {self.reference.name} gives {expected.shape}, the file {output.shape}")
            return
        if len(expected) % len(tainted):
            self.errors.append(f"{name}: {self.reference.name} gives {expected.shape} for {len(tainted)} samples")
            return
        certain = ~_of_rows(tainted, expected)
        if (difference := too_far(expected[certain], output[certain], margin[certain])) is not None:
            self.errors.append(f"{name}: differs by {difference:.3g}, which rounding does not explain")


def _levels(quantized: Array) -> Array:
    """All values, each once, sorted: mostly those of the first elements, which spares sorting them all."""
    few = np.unique(quantized.reshape(-1)[:_FIRST])
    known = np.zeros(quantized.shape, bool)
    for value in few[:_MOST_VALUES]:
        known |= quantized == value
    return few if known.all() else np.unique(quantized)


def _is_same(layer: Layer, other: Layer) -> bool:
    """Whether two layers are two calls of one on the same, of which a converter may make one operator."""
    operators = layer.operator, other.operator
    return layer.data is other.data and operators[0].op_type == operators[1].op_type and layer.name == other.name


def too_far(expected: Array, output: Array, margin: Array) -> float | None:
    """The largest difference of outputs [N, ...] where it is more than a margin in their shape; None if it never is.

    What is infinite or not a number must be so in both.
    """
    theirs, ours = (values.astype(np.float64) for values in (expected, output))
    with np.errstate(invalid="ignore"):  # infinity less infinity, which is equal
        difference = np.abs(theirs - ours)
    # Machines may take subnormal numbers for 0.
    wrong = ~((theirs == ours) | (np.isnan(theirs) & np.isnan(ours)) | (difference <= margin + TINY))
    return float(difference[wrong].max()) if wrong.any() else None


def _is_opposite(call: LayerInput, given: Given) -> bool:
    """Whether the file stores a layer's activations with inverted sign (input and filter both negated, same result)."""
    if not call.replaced:
        return False
    flips = given.differ(call.quantized)
    return int((flips & ~call.near).sum()) > int((~flips & ~call.near).sum())


def _flips(quantized: Array, values: Array, own: Array, steps: bool, certain: Array) -> Array:
    """Where an operator's bits are not those of the reference's values below some cut, or of those that are not.

    An operator reads one of the steps of a quantizer of several: the one that it fits best, ties apart. Or a binary
    digit of the value: then it has the bit that most elements of that value have.
    """
    cuts = values[1:] if len(values) > 1 else values
    candidates = [((quantized < cut) != own) ^ turned for cut in cuts for turned in (False, True)]
    if steps:
        place = np.searchsorted(values, quantized)
        share = np.bincount(place.ravel(), own.ravel()) / np.bincount(place.ravel())
        candidates.append((share > 0.5)[place] != own)
    best: Array = min(candidates, key=lambda flips: (int((flips & certain).sum()), int(flips.sum())))
    return best


def _for_all(samples: Array, like: Array) -> Array:
    """A bool for each sample [N], for each of its elements."""
    return _of_rows(samples, like).reshape(-1, *[1] * (like.ndim - 1))


def _of_rows(samples: Array, like: Array) -> Array:
    """The same for each of its rows, which may be several of each sample: every step of a sequence."""
    return np.repeat(samples, len(like) // len(samples))


def _any(bits: Array, samples: int) -> Array:
    """For each sample, whether any of its elements is True."""
    found: Array = bits.reshape(samples, -1).any(axis=1)
    return found
