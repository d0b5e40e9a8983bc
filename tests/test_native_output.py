"""What native code prints: caught, filtered, and never written into somebody's file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mobile_bnn.native_output import is_noise

NOISE = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795632297.443909   18369 cudart_stub.cc:31] Could not find cuda drivers on your machine",
    "2026-11-25 18:41:28.123456: W tensorflow/core/x.cc:1] careful",
    "E0000 00:00:1795633753.196949   20889 node_def_util.cc:682] NodeDef mentions attribute use_unbounded_threadpool "
    "which is not in the op definition: Op<name=MapDataset; signature=input_dataset:variant>",
    "E0000 00:00:1795738512.839454   29245 util.cc:131] oneDNN supports DT_UINT8 only on platforms with AVX-512. "
    "Falling back to the default Eigen-based implementation if present.",
    "Corrupt JPEG data: 65 extraneous bytes before marker 0xd9",
    "Corrupt JPEG data: premature end of data segment",
    "Premature end of JPEG file",
    "Invalid SOS parameters for sequential JPEG",
    "Warning: unknown JFIF revision number 2.01",
    "libpng warning: iCCP: known incorrect sRGB profile",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
]
NEWS = [
    "E0000 00:00:1795633753.196949   20889 cuda_dnn.cc:1] out of memory",
    "F0000 00:00:1795633753.196949   20889 check.cc:1] Check failed: x == y",
    "ERROR: Encountered unresolved custom op: Theirs.",
    "libpng error: IDAT: CRC error",
    "Segmentation fault",
    "",
]


def python(program: str, redirected: str = "", **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a program, with what a shell does to its streams."""
    command = ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120)
    return ended.returncode, ended.stdout, ended.stderr


def writing(*lines: str) -> str:
    content = "".join(f"{line}\n" for line in lines).encode()
    return f"os.write(2, {content!r})"


@pytest.mark.parametrize("line", NOISE)
def test_noise(line: str) -> None:
    assert is_noise(line)


@pytest.mark.parametrize("line", NEWS)
def test_what_is_not_noise(line: str) -> None:
    assert not is_noise(line)


@pytest.mark.parametrize("context", ["without_noise", "filtered_stderr"])
def test_noise_is_held_back_and_the_rest_passed_on(context: str) -> None:
    program = f"""
import os, sys
from mobile_bnn.native_output import {context}
with {context}():
    {writing(*NOISE, *NEWS)}
    print("from Python", file=sys.stderr)
print("afterwards", file=sys.stderr)
"""
    code, _, told = python(program)
    assert code == 0
    lines = told.splitlines()
    assert lines[-1] == "afterwards"
    assert sorted(lines[:-1]) == sorted([*NEWS, "from Python"])


def test_lines_are_passed_on_as_they_come_and_before_a_crash() -> None:
    program = f"""
import os, sys
from mobile_bnn.native_output import filtered_stderr
with filtered_stderr():
    {writing("at once", NOISE[0])}
    os.read(0, 1)
    os.write(2, b"last words")
    os.abort()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stderr is not None
    assert process.stderr.readline() == "at once\n"
    process.stdin.write("x")
    process.stdin.close()
    assert process.stderr.read() == "last words"
    assert process.wait() < 0
    process.stderr.close()


def test_who_asks_for_everything_gets_it() -> None:
    program = f"""
import os
from mobile_bnn.native_output import filtered_stderr
with filtered_stderr():
    {writing(*NOISE)}
"""
    assert python(program, TF_CPP_MIN_LOG_LEVEL="0")[2].splitlines() == NOISE


@pytest.mark.parametrize("context", ["caught_stderr", "without_noise", "filtered_stderr"])
@pytest.mark.parametrize("redirected", ["", "<&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_file_that_is_opened_next_is_never_standard_error(tmp_path: Path, context: str, redirected: str) -> None:
    program = f"""
import os, sys
from mobile_bnn.native_output import {context}
before = set(os.listdir("/proc/self/fd"))
with {context}():
    with open({str(tmp_path / "mine")!r}, "w") as file:
        {writing("native words")}
        file.write("mine")
    with open({str(tmp_path / "said")!r}, "w") as file:
        file.write("in the block")
leaked = set(os.listdir("/proc/self/fd")) ^ before
with open({str(tmp_path / "leaked")!r}, "w") as file:
    file.write(str(leaked))
"""
    assert python(program, redirected)[0] == 0
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"mine": "mine", "said": "in the block", "leaked": "set()"}


@pytest.mark.parametrize("stream", ["None", "closed"])
@pytest.mark.parametrize("context", ["caught_stderr", "without_noise", "filtered_stderr"])
def test_a_standard_error_that_python_lacks(context: str, stream: str) -> None:
    program = f"""
import os, sys
from mobile_bnn.native_output import {context}
{"sys.stderr = None" if stream == "None" else "sys.stderr.close()"}
with {context}():
    os.write(1, b"in the block\\n")
print("afterwards")
"""
    code, shown, _ = python(program)
    assert (code, shown) == (0, "in the block\nafterwards\n")
