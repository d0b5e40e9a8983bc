"""LCE's own interpreter: with kernels that others wrote it tells whether a binary file is right.

    python -m mobile_bnn.converters.verification.lce_interpreter < file_and_inputs.npz > outputs.npz

runs it in a process of its own, which `instrument` does because it aborts on some graphs. This module imports little.
"""

import os
import sys
from io import BytesIO
from typing import Any

import numpy as np

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.lce_extension import load_lce
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.typing import Array

# Whether the reference kernel, whether the one without im2col. The default one, neither, has no groups; the reference
# kernel pads an odd number of channels with no zeros.
_KERNELS = ((False, False), (True, False), (False, True))


class _Interpreter:
    def __init__(self, lite: Any) -> None:
        self._lite = lite

    def predict(self, x: Array | list[Array]) -> Array | list[Array]:
        """Runs inputs [N, ...] one by one; returns an output [N, ...], or a list of them if there are several."""
        samples = zip(*(x if isinstance(x, list) else [x]), strict=True)
        calls = [self._lite.predict([values[None] for values in sample]) for sample in samples]
        outputs = [np.concatenate(parts) for parts in zip(*calls, strict=True)]
        return outputs if len(outputs) > 1 else outputs[0]


def interpreter(flatbuffer: bytes) -> _Interpreter:
    """A file in LCE's interpreter, in this process.

    Raises:
        MobileBnnError: LCE is not installed, or refuses the file.
    """
    refusal = ""
    for reference, indirect in _KERNELS:
        made = _create(flatbuffer, reference, indirect)
        if isinstance(made, _Interpreter):
            return made
        refusal = made
    raise MobileBnnError("LCE's interpreter refuses the file", why=refusal)


def _create(flatbuffer: bytes, reference: bool, indirect: bool) -> _Interpreter | str:
    """A file with one of LCE's kernels, or why it is refused."""
    create = load_lce().LiteInterpreter
    with caught_stderr() as printed:
        try:
            return _Interpreter(create(flatbuffer, 1, reference, indirect, False))
        except (RuntimeError, ValueError) as error:
            cause = first_line(error)
    return next((line for line in printed if line.startswith("ERROR")), cause)


def main() -> None:
    """Answers one request."""
    # Native code may print: only the answer goes to the real stdout, all else to stderr.
    answer_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with np.load(BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as given:
        flatbuffer, *inputs = given.values()
    try:
        outputs = interpreter(flatbuffer.tobytes()).predict(inputs)
    except MobileBnnError as error:
        sys.exit(str(error))
    np.savez(answer_to, *(outputs if isinstance(outputs, list) else [outputs]))
    answer_to.close()


if __name__ == "__main__":
    main()
