"""What two files compute on the same inputs: the bytes that travel to a target and back, and their comparison.

Inputs are a file of samples, each the bytes of all inputs of the model one after the other; outputs come back in the
answer, each output's bytes of all samples.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profile_records import Parity
from mobile_bnn.profiling.engines import Session
from mobile_bnn.profiling.engines.engine import Spec, random_input
from mobile_bnn.typing import Array

MOST_SAMPLES = 32
_MOST_BYTES = 1 << 20  # of outputs: a segmentation of half a million pixels has some megabytes a sample


@dataclass(frozen=True)
class Ends:
    """The inputs and outputs of a file, batch 1: shapes and dtypes."""

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]

    @property
    def samples(self) -> int:
        """How many samples are compared: as many as their outputs have room for, 1 at least."""
        return max(1, min(MOST_SAMPLES, _MOST_BYTES // max(1, sum(spec.bytes for spec in self.outputs))))


def random_samples(ends: Ends, samples: int) -> bytes:
    """So many seeded random samples: of floats standard normal, of integers the whole range."""
    return b"".join(
        random_input(spec.shape, spec.dtype, seed=number).tobytes() for number in range(samples) for spec in ends.inputs
    )


def given_samples(ends: Ends, arrays: Sequence[Array], samples: int) -> bytes:
    """The first of given samples, [N, ...] for each input.

    Raises:
        MobileBnnError: they do not fit the inputs.
    """
    for array, spec in zip(arrays, ends.inputs, strict=False):
        if array.dtype != spec.dtype or array.shape[1:] != spec.shape[1:]:
            raise MobileBnnError(
                f"the samples are {array.dtype} {list(array.shape)}",
                why=f"the model takes {np.dtype(spec.dtype)} [N, {', '.join(map(str, spec.shape[1:]))}]",
            )
    if len(arrays) != len(ends.inputs):
        raise MobileBnnError(f"the samples are of {len(arrays)} inputs", why=f"the model has {len(ends.inputs)}")
    return b"".join(array[number].tobytes() for number in range(samples) for array in arrays)


def outputs_of(session: Session, content: bytes, samples: int) -> list[str]:
    """What a loaded model computes for samples: base64 of each output, all samples one after the other.

    Raises:
        MobileBnnError: the content is not so many samples.
    """
    size = sum(spec.bytes for spec in session.inputs)
    if len(content) != size * samples:
        raise MobileBnnError(f"{len(content)} bytes of inputs are not {samples} samples of {size} bytes")
    found: list[list[bytes]] = []
    for number in range(samples):
        offset, arrays = number * size, []
        for spec in session.inputs:
            arrays.append(np.frombuffer(content, spec.dtype, spec.elements, offset).reshape(spec.shape))
            offset += spec.bytes
        found.append([output.tobytes() for output in session.predict(arrays)])
    return [base64.b64encode(b"".join(parts)).decode("ascii") for parts in zip(*found, strict=True)]


def decoded(outputs: Sequence[str], ends: Ends, samples: int) -> list[Array]:
    """The outputs of an answer as arrays [samples, ...]; none where the file does not tell their sizes.

    Raises:
        MobileBnnError: they cannot be read.
    """
    arrays = []
    if len(outputs) != len(ends.outputs):
        return []
    for text, spec in zip(outputs, ends.outputs, strict=True):
        try:
            content = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise MobileBnnError("the target sent outputs that cannot be read", why=str(error)) from error
        if len(content) != samples * spec.bytes:
            return []
        arrays.append(np.frombuffer(content, spec.dtype).reshape(samples, *spec.shape))
    return arrays


def compare(found: Sequence[Array], reference: Sequence[Array], *, file: Path, inputs: str) -> Parity | None:
    """How far outputs [samples, ...] are from those of the reference `file`; None where they are of other kinds.

    The largest of the last axis is compared where that has more than one value: of a classification the top-1, of a
    segmentation the class of each pixel.
    """
    pairs = list(zip(found, reference, strict=False))
    alike = len(found) == len(reference) and all(a.shape == b.shape and a.dtype == b.dtype for a, b in pairs)
    if not pairs or not alike:
        return None
    differences = [np.abs(a.astype(np.float64) - b.astype(np.float64)) for a, b in pairs]
    agree = [(a.argmax(-1) == b.argmax(-1)).ravel() if a.shape[-1] > 1 else (a == b).ravel() for a, b in pairs]
    return Parity(
        reference=str(file),
        inputs=inputs,
        samples=len(found[0]),
        largest_difference=float(max(difference.max(initial=0.0) for difference in differences)),
        top1_agreement=float(np.concatenate(agree).mean()),
    )
