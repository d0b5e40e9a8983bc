"""Puts the APK on a phone over adb, and starts it.

usage: python tools/android/install.py APK     (ANDROID_SERIAL names one of several phones)
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from apk_gates import PACKAGE
from programs import require, run

from mobile_bnn.errors import MobileBnnError

_ACTIVITY = f"{PACKAGE}/.MainActivity"
# What adb says, and what helps.
_CURES = {
    "no devices": "Plug in a phone with USB debugging turned on (docs/phones.md)",
    "more than one device": "Name one of them: ANDROID_SERIAL=SERIAL make android-install; `adb devices` lists them",
    "unauthorized": "Unlock the phone and accept the dialog that asks for USB debugging",
    "INSTALL_FAILED_UPDATE_INCOMPATIBLE": f"A build of another key is there: adb uninstall {PACKAGE}",
    "INSTALL_FAILED_INSUFFICIENT_STORAGE": "Free some memory of the phone",
    "INSTALL_FAILED_OLDER_SDK": "The demo needs Android 8 or newer",
    "INSTALL_FAILED_NO_MATCHING_ABIS": "The demo needs a 64-bit phone, ARM or x86",
}


def install(apk: Path) -> None:
    """Installs the APK over an older one, and starts it.

    Raises:
        MobileBnnError: there is no phone, or it refuses the APK.
    """
    require("adb")
    subprocess.run(["adb", "start-server"], capture_output=True, check=False)  # whose lines are no answer
    try:
        run(["adb", "install", "-r", apk], f"installing {apk}")
        run(["adb", "shell", "am", "start", "-n", _ACTIVITY], "starting the demo")
    except MobileBnnError as error:
        said = str(error)
        for sign, cure in _CURES.items():
            if sign in said:
                line = next(line.strip() for line in said.splitlines() if sign in line)
                raise MobileBnnError("the demo cannot be installed", why=line, cure=cure) from error
        raise


def main(arguments: Sequence[str]) -> int:
    """Installs what the command line names; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python tools/android/install.py APK", file=sys.stderr)
        return 2
    try:
        install(Path(arguments[0]))
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{PACKAGE} is installed, and runs on the phone")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
