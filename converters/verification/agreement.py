"""How far two files are from each other on the same samples: what storing weights in fewer bits costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile_bnn.converters.storage.io_types import as_output
from mobile_bnn.converters.storage.samples import batches
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import Array


@dataclass(frozen=True)
class Agreement:
    """Of the first outputs of two files.

    Attributes:
        samples: how many were compared.
        top1: share of them with the same largest element, 0 to 1; None where an output is not a row of scores.
        difference: mean absolute difference of the elements.
        magnitude: mean absolute value of the first file's elements.
    """

    samples: int
    top1: float | None
    difference: float
    magnitude: float


def agreement(first: Path | str | bytes, second: Path | str | bytes, samples: Sequence[Array]) -> Agreement:
    """Runs two files on the same samples, in LiteRT with the native library.

    Args:
        first: a file, or its bytes.
        second: a file of the same inputs and outputs, which may be int8 in one and float32 in the other.
        samples: float32 [N, ...] for each input.

    Raises:
        UsageError: the samples do not fit the inputs.
    """
    # In float64 booleans and bytes have differences too.
    ours, theirs = (outputs(file, samples).astype(np.float64) for file in (first, second))
    return Agreement(
        samples=len(ours),
        top1=float(np.mean(ours.argmax(1) == theirs.argmax(1))) if ours.ndim == 2 else None,
        difference=float(np.abs(ours - theirs).mean()),
        magnitude=float(np.abs(ours).mean()),
    )


def outputs(file: Path | str | bytes, samples: Sequence[Array]) -> Array:
    """What a file gives for its first output, float32 [N, ...]; int8 inputs and outputs are scaled here.

    Args:
        file: the file, or its bytes; of its own batch size, so samples that make no whole batch are left out.
        samples: float32 [N, ...] for each input.
    """
    with Interpreter(file) as interpreter:
        detail = interpreter.output_details[0]
        computed = [interpreter.predict(batch) for batch in batches(interpreter, samples)]
    values = np.concatenate([batch[0] if isinstance(batch, list) else batch for batch in computed])
    return as_output(values, detail)
