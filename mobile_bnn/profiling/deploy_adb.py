"""Lays our program and its libraries on a phone, or takes them away again: `deploy("adb://")`."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profiling.android.asking import ask
from mobile_bnn.profiling.android.device import Device, find_device
from mobile_bnn.profiling.android.elf import read_binary
from mobile_bnn.profiling.android.layout import BASE, PROGRAMS, TFLITE
from mobile_bnn.profiling.android.libraries import our_files, tflite_library
from mobile_bnn.profiling.android.lock import Lock
from mobile_bnn.profiling.android.properties import check, read_facts
from mobile_bnn.profiling.android.push import is_same, push
from mobile_bnn.profiling.android.shell import run
from mobile_bnn.profiling.deploy import Deployed
from mobile_bnn.profiling.messages import Question, TargetInfo
from mobile_bnn.profiling.targets.adb import serial_of

_NEW = f"{PROGRAMS}.new"
_SWITCH = 'rm -rf "$2" && mv "$1" "$2"'
_FOLDERS = 'for each in "$1"/*; do if [ -d "$each" ]; then echo "$each"; fi; done'


def deploy(
    url: str,
    *,
    tflite: Path | None = None,
    wheel: Path | None = None,
    say: Callable[[str], None] = lambda what: None,
    watch: Callable[[str, int, int], None] | None = None,
) -> Deployed:
    """Lays the program that measures, our library and TensorFlow Lite's on a phone; what is there already stays.

    What is new is used once it has answered there; until then what was there before stays in use.

    Args:
        url: adb://SERIAL, or adb:// for the only phone.
        tflite: an .aar or .so with TensorFlow Lite or LiteRT; by default version 2.16.1 through Maven.
        wheel: is refused: a phone has no Python.
        say: is called with what is being done.
        watch: is called while a file is sent, with its name, the bytes that have gone, and all of them.

    Raises:
        UsageError: a file is missing or is for another processor, or several phones are plugged in.
        TargetLostError: the phone cannot be reached any more, is full, or another session has it.
        MobileBnnError: adb, the phone or a file is not there, or the program does not run.
    """
    if wheel is not None:
        raise UsageError(f"{wheel} cannot be laid on a phone", why="it has no Python", cure="Leave --wheel away")
    say(f"looking at {url}")
    device = find_device(serial_of(url))
    facts = read_facts(device)
    check(facts, device.serial)
    lock = Lock(device)
    try:
        lock.take()
        with tempfile.TemporaryDirectory() as work:
            library = tflite_library(facts.abi, tflite, Path(work), say)
            named = Path(work) / TFLITE
            if library != named:
                shutil.copyfile(library, named)
            files = [*our_files(facts.abi), named]
            _check_pages(device, files)
            there = all(is_same(device, path, f"{PROGRAMS}/{path.name}") for path in files)
            if not there:
                _replace(device, files, say, watch)
        info = TargetInfo.parse(ask(device, PROGRAMS, Question(ask="describe")), "the program on the phone")
    finally:
        lock.release()
    about = {"mobile_bnn": __version__, "ABI": facts.abi} | {each.name: each.version for each in info.engines}
    return Deployed(f"adb://{device.serial}", __version__, there, about)


def remove(url: str) -> int:
    """Takes everything from a phone that `deploy` and measurements have laid there.

    Returns:
        How many folders there were.

    Raises:
        UsageError: the URL is malformed, or several phones are plugged in.
        TargetLostError: the phone cannot be reached any more, or another session has it.
        MobileBnnError: adb or the phone is not there.
    """
    device = find_device(serial_of(url))
    count = len(run(device, ["sh", "-c", _FOLDERS, "sh", BASE]).text.splitlines())
    lock = Lock(device)
    try:
        lock.take()
        run(device, ["rm", "-rf", BASE])
    finally:
        lock.release()
    return count


def _replace(
    device: Device,
    files: list[Path],
    say: Callable[[str], None],
    watch: Callable[[str, int, int], None] | None,
) -> None:
    """Lays all of them into a new folder, lets the program answer there, and puts the folder in its place."""
    run(device, ["rm", "-rf", _NEW])
    for path in files:
        say(f"pushing {path.name}")
        progress = _Progress(path, watch)
        push(device, path, f"{_NEW}/{path.name}", executable=True, on_sent=progress)
    say("asking the program there")
    try:
        TargetInfo.parse(ask(device, _NEW, Question(ask="describe")), "the program on the phone")
    except MobileBnnError as error:
        run(device, ["rm", "-rf", _NEW])
        raise MobileBnnError(
            f"mobile_bnn does not run on the phone {device.serial}, so that nothing there was replaced",
            why=f"{error.what}: {error.why}" if error.why else error.what,
        ) from error
    switched = run(device, ["sh", "-c", _SWITCH, "sh", _NEW, PROGRAMS])
    if switched.code:
        raise MobileBnnError(f"the phone {device.serial} refuses the new version", why=switched.complaint)


@dataclass(frozen=True)
class _Progress:
    """Tells how far a file has gone."""

    path: Path
    watch: Callable[[str, int, int], None] | None

    def __call__(self, sent: int) -> None:
        if self.watch:
            self.watch(self.path.name, sent, self.path.stat().st_size)


def _check_pages(device: Device, files: list[Path]) -> None:
    """Refuses a library that the phone cannot load, as its pages are larger than the library's.

    Raises:
        MobileBnnError: it is so.
    """
    told = run(device, ["getconf", "PAGESIZE"]).text.strip()  # Android 8 has no getconf, and pages of 4 KB
    for path in files:
        binary = read_binary(path)
        if told.isdecimal() and binary and binary.page_bytes < int(told):
            pages, linked = (f"{size // 1024} KB" for size in (int(told), binary.page_bytes))
            raise MobileBnnError(
                f"{path.name} cannot be loaded on the phone {device.serial}",
                why=f"the phone has pages of {pages}, and it was linked for {linked}",
                cure="Name one that fits with --tflite FILE, such as the .aar of LiteRT 2",
            )
