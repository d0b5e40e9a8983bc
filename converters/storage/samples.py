"""Samples in batches of a file's own size, in the type that it takes."""

from collections.abc import Iterator, Sequence

from mobile_bnn.converters.storage.io_types import as_input
from mobile_bnn.errors import UsageError
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import Array
from mobile_bnn.wording import plural


def batches(interpreter: Interpreter, samples: Sequence[Array]) -> Iterator[list[Array]]:
    """Whole batches of a file's batch size, from the first sample on.

    Args:
        interpreter: of the file.
        samples: float32 [N, ...] for each of its inputs; scaled for inputs of int8.

    Raises:
        UsageError: the samples are not as many as the inputs, not as many for each, or fewer than a batch.
    """
    details = interpreter.input_details
    if len(samples) != len(details):
        raise UsageError(f"the model has {plural(len(details), 'input')}, samples were given for {len(samples)}")
    counts = {len(array) for array in samples}
    if len(counts) > 1:
        raise UsageError(f"there are not as many samples for each input: {', '.join(map(str, sorted(counts)))}")
    (count,), size = counts, int(details[0]["shape"][0])
    if count < size:
        raise UsageError(f"{plural(count, 'sample')} cannot fill a batch of the model, which is {size}")
    given = [as_input(array, detail) for array, detail in zip(samples, details, strict=True)]
    for start in range(0, count - size + 1, size):
        yield [array[start : start + size] for array in given]
