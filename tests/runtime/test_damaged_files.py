"""Damaged .tflite files: Interpreter answers each with its result or with an error of ours, and never crashes."""

import subprocess
import sys
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import Interpreter

# A child process for each file, so that a crash is seen and ends nothing else. Forked, for speed.
CHILD = """
import os, random, signal, sys
import numpy as np
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.runtime import Interpreter

WORDS = [b"\\xff" * 4, b"\\xff" * 3 + b"\\x7f", b"\\0\\0\\0\\x80", b"\\0\\0\\0\\0", b"\\1\\0\\0\\0", b"\\0\\0\\x10\\0"]

def damaged(flatbuffer, seed):
    generator = random.Random(seed)
    content = bytearray(flatbuffer)
    if seed % 10 == 0:
        return bytes(content[: generator.randrange(len(content))])
    for _ in range(generator.randint(1, 4)):
        # Mostly the tables, which lie before the constants and after them.
        at = generator.choice([generator.randrange(600), len(content) - 1 - generator.randrange(4500)])
        if seed % 2:
            content[at] ^= 1 << generator.randrange(8)
        else:
            at &= ~3
            content[at : at + 4] = generator.choice([*WORDS, generator.randbytes(4)])
    return bytes(content)

def run(flatbuffer):
    try:
        with Interpreter(flatbuffer) as interpreter:
            inputs = [np.zeros(detail["shape"], detail["dtype"]) for detail in interpreter.input_details]
            interpreter.predict(inputs)
    except (MobileBnnError, UsageError) as error:
        return 10 if str(error) and "\\n" not in str(error) else 20
    return 0

flatbuffer = open(sys.argv[1], "rb").read()
assert run(flatbuffer) == 0
results = []
for seed in range(int(sys.argv[2])):
    if not (child := os.fork()):
        signal.alarm(30)
        try:
            os._exit(run(damaged(flatbuffer, seed)))
        finally:
            os._exit(30)
    results.append(os.waitpid(child, 0)[1])
codes = [os.waitstatus_to_exitcode(result) for result in results]
print("worse:", [(seed, code) for seed, code in enumerate(codes) if code not in (0, 10)])
print("refused:", codes.count(10))
"""


def test_a_damaged_file_never_crashes_the_process(binary_tflite: Path) -> None:
    # What is printed of a seed says how to make its file again; a negative code is the signal that killed it.
    command = [sys.executable, "-c", CHILD, str(binary_tflite), "400"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert "worse: []\n" in result.stdout, result.stdout + result.stderr[-2000:]
    assert int(result.stdout.rpartition("refused: ")[2]) > 150


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(50_000_000), "does not carry the identifier TFL3"),
        (b"\x10\0\0\0TFL3" + bytes(50_000_000), "it holds no subgraph"),
        (b"\x10\0\0\0TFL3" + b"\xff" * 1_000_000, "is truncated or malformed"),
        (b"\xff\xff\xff\x7fTFL3" + b"\x7f" * 1000, "is truncated or malformed"),
    ],
)
def test_large_garbage_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(MobileBnnError, match=message):
        Interpreter(content)
