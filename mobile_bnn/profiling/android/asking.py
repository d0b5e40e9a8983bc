"""Asks our program on the phone a question: JSON in, JSON out."""

from mobile_bnn import __version__
from mobile_bnn.child_process import end_of
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.android.device import Device
from mobile_bnn.profiling.android.guarded_run import run_guarded
from mobile_bnn.profiling.android.layout import RUNNER
from mobile_bnn.profiling.android.push import present
from mobile_bnn.profiling.messages import Message
from mobile_bnn.profiling.targets.target import EngineCrashError

DESCRIBING_S = 60.0


def ask(device: Device, folder: str, question: Message, limit_s: float = DESCRIBING_S) -> bytes:
    """What the program in a folder of the phone answers.

    Raises:
        EngineCrashError: it ended without an answer.
        TargetLostError: the phone has gone.
        MobileBnnError: the program is not there.
    """
    program = f"{folder}/{RUNNER}"
    if not present(device, [program]):
        raise MobileBnnError(
            f"mobile_bnn {__version__} is not on the phone {device.serial}",
            cure=f"Run: mbnn deploy adb://{device.serial}",
        )
    result = run_guarded(device, [program], question.encode(), limit_s)
    if result.code:
        why = f"its process {end_of(result.code)}" + (f" ({result.complaint})" if result.complaint else "")
        raise EngineCrashError("the engine crashed", why=why, cure="Try another engine or kernel")
    return result.stdout
