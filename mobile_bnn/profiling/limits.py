"""Limits that continuous integration sets for a profile."""

from mobile_bnn.errors import UsageError
from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.wording import plural

_FLOAT_TWIN = "_float.tflite"


def check_limits(profile: Profile, *, max_ms: float | None = None, max_mb: float | None = None) -> list[str]:
    """A line for each limit that the profiled file breaks; the first file of the record, not those beside it.

    Args:
        profile: of one target.
        max_ms: of the median of the file's fastest measurement, in milliseconds.
        max_mb: of the peak memory of that measurement, in 1e6 bytes.

    Raises:
        UsageError: a limit is not above 0.
    """
    check_numbers(max_ms, max_mb)
    measured = fastest(profile)
    if measured is None:
        return []
    broken = []
    if max_ms is not None and measured.median_ms > max_ms:
        broken.append(f"the median of {measured.median_ms:.4g} ms is above {max_ms:g} ms")
    if max_mb is not None and measured.peak_memory_bytes > max_mb * 1e6:
        broken.append(f"the peak memory of {measured.peak_memory_bytes / 1e6:.4g} MB is above {max_mb:g} MB")
    return [f"{text} ({_where(profile, measured)})" for text in broken]


def check_numbers(max_ms: float | None, max_mb: float | None) -> None:
    """Whether these can be limits, which is better known before anything is measured.

    Raises:
        UsageError: a limit is not above 0.
    """
    for name, limit in (("milliseconds", max_ms), ("megabytes", max_mb)):
        if limit is not None and not limit > 0:
            raise UsageError(f"a limit of {limit:g} {name} cannot be kept", cure="Give a number above 0")


def fastest(profile: Profile) -> Measurement | None:
    """The fastest measurement of the file that was profiled, by median."""
    first = next((each.file for each in profile.measurements if not each.file.endswith(_FLOAT_TWIN)), None)
    own = [each for each in profile.measurements if each.file == first] or profile.measurements
    return min(own, key=lambda each: each.median_ms, default=None)


def _where(profile: Profile, measured: Measurement) -> str:
    words = [profile.target, f"{measured.engine} {measured.kernel}", plural(measured.threads, "thread")]
    words += ["throttled"] * measured.throttled + ["emulated"] * profile.machine.emulated
    return ", ".join(words)
