"""Which measurement of one profile is the same as which of another: engine, kernel, threads, cores and kind of file."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import PurePath
from typing import NamedTuple

from mobile_bnn.profile_records import Measurement, Profile

OWN, TWIN = "the file", "the float twin"
_TWIN = "_float.tflite"


class Key(NamedTuple):
    """What two measurements must have in common.

    Attributes:
        kernel: its family, such as avx2 of avx2-6x64; empty where each profile has one of the engine's: whatever is
            best on its machine.
        role: the file that was profiled, its float twin, or the name of one beside them; over time the file's name.
    """

    engine: str
    kernel: str
    threads: int
    cores: str
    role: str


def own_file(profile: Profile) -> str:
    """The path of the file that was profiled: the first that is not a float twin; empty where there is none."""
    files = [each.file for each in profile.measurements]
    return next((file for file in files if not file.endswith(_TWIN)), files[0] if files else "")


def by_key(*profiles: Profile) -> list[dict[Key, Measurement]]:
    """The measurements of each profile by what they have in common with those of the others.

    Profiles of two files are compared as such: the file of one with the file of the other, whatever they are called.
    """
    several = _engines_with_several_kernels(profiles)
    return [
        {_key(each, several, _role(each, own_file(profile))): each for each in profile.measurements}
        for profile in profiles
    ]


def by_name(*profiles: Profile) -> list[dict[Key, Measurement]]:
    """The same for profiles of many files, as a history has them: a file is told by its name and its folder's."""
    several = _engines_with_several_kernels(profiles)
    return [{_key(each, several, short_name(each)): each for each in profile.measurements} for profile in profiles]


def short_name(measured: Measurement) -> str:
    """The file's name and its folder's: demo/model.tflite."""
    return "/".join(PurePath(measured.file).parts[-2:])


def _engines_with_several_kernels(profiles: Sequence[Profile]) -> set[str]:
    found = set()
    for profile in profiles:
        kernels = defaultdict(set)
        for each in profile.measurements:
            kernels[each.engine].add(_family(each.kernel))
        found |= {engine for engine, names in kernels.items() if len(names) > 1}
    return found


def _key(measured: Measurement, several: Collection[str], role: str) -> Key:
    kernel = _family(measured.kernel) if measured.engine in several else ""
    return Key(measured.engine, kernel, measured.threads, measured.cores, role)


def _role(measured: Measurement, own: str) -> str:
    if measured.file == own:
        return OWN
    name = PurePath(measured.file).name
    return TWIN if name == f"{PurePath(own).stem}{_TWIN}" else name


def _family(kernel: str) -> str:
    """The instruction set of a kernel, without the shape of its tile: avx2 of avx2-6x64."""
    return kernel.partition("-")[0]
