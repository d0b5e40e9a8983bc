"""What is known of a tensor besides its values: how far another evaluation of the same graph may be from them.

Two evaluations differ in the order of their sums, in what they fuse and in the constants that they fold; each rounds
to float32. Where every number on the way is a multiple of a power of two and small enough for 24 bits, nothing is
rounded, and all evaluations agree to the last bit: then the bound is 0.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobile_bnn.typing import Array

Bounds = npt.NDArray[np.float64]

# How far two roundings of one number to float32 are apart, as a share of it.
ROUNDING = 2.0**-23
TINY = float(np.finfo(np.float32).tiny)  # machines may take smaller numbers for 0
NOTHING: Bounds = np.float64(0)  # type: ignore[assignment]  # a scalar has all of an array that is used here
_MANTISSA = 2.0**24
_COARSE = 4.0  # times a quantum that is found quickly: as of signs
# Of float32's bit patterns: without the sign, from infinity on, and the bits after the leading one.
_MAGNITUDE, _INFINITY, _FRACTION = np.int32(0x7FFFFFFF), 0x7F800000, 0x7FFFFF
_BLOCK = 1 << 20  # elements that are looked at together: what is computed of them takes ten times their memory
_FIRST = 4096  # elements that mostly tell already that values are on no coarse grid


@dataclass(frozen=True)
class Bounded:
    """A tensor's values in one evaluation, and how far from them others may be.

    Attributes:
        values: of the evaluation, [N, ...].
        noise: float64, broadcastable to the values: what rounding adds up to.
        jump: float64, broadcastable to the values: how far a step function may jump whose argument is within its own
            bound of a threshold; 1 for a bool that may be the other one.
        magnitude: float64, broadcastable to the values, or None: the sum of the absolute terms where an evaluation may
            fuse the affine maps that made the tensor, and so rounds the terms instead of the result.
        quantum: a power of two that every term is a multiple of; 0 if it is to be found from the values.
    """

    values: Array
    noise: Bounds = NOTHING
    jump: Bounds = NOTHING
    magnitude: Bounds | None = None
    quantum: float = 0.0

    @property
    def margin(self) -> Bounds:
        """How far another evaluation may be in all, broadcastable to the values."""
        return self.noise + self.jump

    @property
    def is_exact(self) -> bool:
        """Whether nothing was rounded on the way; a jump is from one such number to another."""
        return self.noise.ndim == 0 and not self.noise

    def terms(self) -> Bounds:
        """The sum of the absolute terms, or the absolute values, float64 broadcastable to the values."""
        return np.abs(self.values.astype(np.float64)) if self.magnitude is None else self.magnitude

    def grid(self) -> float:
        """A power of two that every term is a multiple of; 0 if there is none, or the numbers are rounded ones."""
        if not self.is_exact:
            return 0.0
        return self.quantum or quantum_of(self.values)


def is_representable(largest: float, quantum: float) -> bool:
    """Whether multiples of a quantum up to a largest sum of terms are float32 numbers, in whatever order they add."""
    return bool(quantum > 0 and largest < _MANTISSA * quantum)


def quantum_of(values: Array) -> float:
    """A power of two that finite numbers are multiples of; 0 where some are infinite or not a number.

    It is the largest one, unless that of their lowest bits at their smallest size is coarse enough, which takes a
    fraction of the time. Of long rows the first elements are looked at alone, if these tell that no sum is exact.
    """
    if values.dtype == np.bool_ or np.issubdtype(values.dtype, np.integer):
        return 1.0
    bits = np.ascontiguousarray(values, np.float32).reshape(-1).view(np.int32)
    beginning = bits[:_FIRST] & _MAGNITUDE
    found = _quantum(beginning)
    if bits.size > _FIRST and is_representable(_float(int(beginning.max())), 2 * found):
        blocks = (bits[start : start + _BLOCK] & _MAGNITUDE for start in range(0, bits.size, _BLOCK))
        found = min(map(_quantum, blocks))
    return 1.0 if found == np.inf else found


def _quantum(bits: npt.NDArray[np.int32]) -> float:
    """Of the bit patterns of numbers without their signs; infinity where all are 0."""
    largest, bits = int(bits.max(initial=0)), bits[bits != 0]
    if largest >= _INFINITY:
        return 0.0
    if not len(bits):
        return np.inf
    if int(bits.min()) > _FRACTION:  # no subnormal number
        lowest = (int(np.bitwise_or.reduce(bits)) & _FRACTION) | (_FRACTION + 1)
        smallest = float(2.0 ** ((int(bits.min()) >> 23) - 150)) * (lowest & -lowest)
        if _float(largest) < _COARSE * smallest:
            return smallest
    mantissas, exponents = np.frexp(bits.view(np.float32))
    whole = (mantissas * _MANTISSA).astype(np.int64)
    lowest_bits = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    return float(2.0 ** int((exponents - 24 + lowest_bits).min()))


def _float(bits: int) -> float:
    return float(np.array(bits, np.int32).view(np.float32))
