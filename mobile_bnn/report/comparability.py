"""Why two profiles cannot be compared, and what else to know of the two."""

from mobile_bnn.profile_records import Profile
from mobile_bnn.report.formats import plural, printable

_FACTS = {
    "cpu": "processors",
    "board": "boards",
    "architecture": "architectures",
    "bits": "widths of the programs",
    "governor": "frequency governors",
}
_SYSTEM = {"distribution": "systems", "libc": "C libraries"}
_BUSY = 0.5  # a load average for each core, before measuring, from which other programs take part


def obstacles(before: Profile, after: Profile) -> list[str]:
    """What makes a difference of the two say nothing of the software: another machine, heat, an emulator."""
    found = []
    if before.target != after.target:
        found.append(f"the targets differ: {printable(before.target)} and {printable(after.target)}")
    found += _differences(before, after, _FACTS)
    if before.machine.emulated != after.machine.emulated:
        found.append(f"{'before' if before.machine.emulated else 'after'} was measured in an emulator")
    for name, profile in (("before", before), ("after", after)):
        if throttled := sum(each.throttled for each in profile.measurements):
            every = plural(len(profile.measurements), "measurement")
            found.append(f"heat or the supply slowed {throttled} of {every} down ({name})")
    return found


def remarks(before: Profile, after: Profile) -> list[str]:
    """What to know besides: versions, other programs, emulation of both, a single process."""
    found = [f"{text[:1].upper()}{text[1:]}." for text in _differences(before, after, _SYSTEM)]
    if before.machine.emulated and after.machine.emulated:
        found.append("Both were measured in an emulator: their times say nothing of a real device.")
    for name, profile in (("before", before), ("after", after)):
        if profile.machine.load_1min > _BUSY * profile.machine.logical_cores:
            load = profile.machine.load_1min
            found.append(f"Other programs ran ({name}): the load average was {load:.1f}.")
        if any(len(each.rounds) < 2 for each in profile.measurements):
            found.append(f"One process measured ({name}): how others would differ is not in the intervals.")
    old, new = _versions(before), _versions(after)
    found += [
        f"The versions of {printable(engine)} differ: {printable(old[engine])} and {printable(version)}."
        for engine, version in new.items()
        if old.get(engine, version) != version
    ]
    return found


def _differences(before: Profile, after: Profile, facts: dict[str, str]) -> list[str]:
    found = []
    for field, words in facts.items():
        old, new = (str(getattr(profile.machine, field)) for profile in (before, after))
        if old != new and "" not in (old, new):  # older records do not tell all
            found.append(f"the {words} differ: {printable(old)} and {printable(new)}")
    return found


def _versions(profile: Profile) -> dict[str, str]:
    return {each.engine: each.engine_version for each in profile.measurements}
