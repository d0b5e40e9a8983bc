"""Opens and runs .tflite files by Interpreter, each in a forked process of its own, so that a crash is seen.

usage: python -m tests.support.interpret_files < NAMES     (for each file a line: how it ended, a tab, the message)
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import Interpreter
from tests.support.tools import ROOT

RAN, REFUSED, WORSE = "ran", "refused", "worse"
_SECONDS = 30  # no file takes one


@dataclass(frozen=True)
class End:
    """How a file ended.

    Attributes:
        how: RAN; REFUSED, by an error of ours; or WORSE: by another exception, a signal, or not in time.
        message: of the error, or what the process died of.
    """

    how: str
    message: str = ""


def ends_of(files: Sequence[Path]) -> list[End]:
    """Opens and runs each file, with zeros as inputs."""
    command = [sys.executable, "-m", "tests.support.interpret_files"]
    names = "".join(f"{path}\n" for path in files)
    done = subprocess.run(command, input=names, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    ends = [End(*line.split("\t", 1)) for line in done.stdout.splitlines()]
    assert len(ends) == len(files)
    return ends


def _run(path: Path) -> End:
    try:
        with Interpreter(path.read_bytes()) as interpreter:
            interpreter.predict([np.zeros(each["shape"], each["dtype"]) for each in interpreter.input_details])
    except MobileBnnError as error:
        message = str(error)
        return End(REFUSED, message) if message and "\n" not in message else End(WORSE, f"bad message {message!r}")
    except Exception as error:
        return End(WORSE, repr(error))
    return End(RAN)


def _in_child(path: Path) -> End:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(_SECONDS)
        end = _run(path)
        os.write(writer, f"{end.how}\t{end.message}".encode()[:4096])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read().decode("utf-8", "replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return End(*told.split("\t", 1)) if status == 0 else End(WORSE, f"the process ended with {status}")


def main() -> None:
    """Answers for each file that standard input names."""
    for name in sys.stdin.read().splitlines():
        end = _in_child(Path(name))
        print(f"{end.how}\t{' '.join(end.message.split())}", flush=True)


if __name__ == "__main__":
    main()
