"""Runs a program on the phone so that it ends when its time is over, or when this computer goes.

A real adbd sends SIGHUP to the shell that it started, and to nothing else, when the host has gone, and closes the
shell's standard input and output. So the shell kills the program on SIGHUP, and a second process, which reads the
standard input, kills it at that input's end and when the time is over.
"""

from collections.abc import Sequence

from mobile_bnn.child_process import end_of
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.android.device import Device
from mobile_bnn.profiling.android.shell import Result, run
from mobile_bnn.profiling.targets.target import EngineCrashError

# The arguments are: seconds, program, its arguments. Descriptor 3 is the standard input, which mksh takes from what
# it starts in the background. The program's own standard input is the first line.
_GUARD = """
limit=$1
shift
exec 3<&0
read -r request
print -r -- "$request" | "$@" &
program=$!
{ read -t "$limit" -r line; kill -9 $program; } <&3 >/dev/null 2>&1 &
guard=$!
trap 'kill -9 $program $guard 2>/dev/null; exit 129' HUP INT TERM
wait $program 2>/dev/null
code=$?
kill -9 $guard 2>/dev/null
exit $code
"""
_LATE_S = 30.0  # a phone that has not ended the program so long after its time is lost
_SIGNALLED = 128
_KILLED = 9


def run_guarded(device: Device, command: Sequence[str], stdin: bytes, limit_s: float) -> Result:
    """Runs a program with one line on its standard input.

    Args:
        device: where.
        command: the program and its arguments.
        stdin: the line, without its end.
        limit_s: after how many seconds the phone ends it.

    Raises:
        EngineCrashError: it was ended by a signal, or because its time was over.
        TargetLostError: the connection is lost.
    """
    seconds = max(1, round(limit_s))
    guarded = ["sh", "-c", _GUARD, "sh", str(seconds), *command]
    result = run(device, guarded, stdin=stdin + b"\n", hold_stdin=True, limit_s=seconds + _LATE_S)
    number = result.code - _SIGNALLED
    if number == _KILLED and result.seconds >= seconds:
        raise EngineCrashError("the engine took too long", why=f"it was ended after {seconds} seconds")
    if number > 0:
        raise _crash(result, number)
    return result


def _crash(result: Result, number: int) -> MobileBnnError:
    why = f"its process {end_of(-number)}"
    if number == _KILLED:
        why += ", as Android does when memory runs out"
        return EngineCrashError("the engine crashed", why=why, cure="Close other apps, or take a smaller model")
    told = next((line for line in result.stderr.decode("utf-8", "replace").splitlines() if "ERROR" in line), "")
    why += f" ({told.strip()})" if told else ""
    return EngineCrashError("the engine crashed", why=why, cure="Try another engine or kernel")
