"""Which file each record is of: a proof or a latency of another file says nothing about the one in the folder now."""

from collections.abc import Iterable
from enum import Enum
from pathlib import PurePath

from mobile_bnn.profile_records import Measurement
from mobile_bnn.report.records import Records


class Origin(Enum):
    """The file that a record is of."""

    CURRENT = "the file that lies in the folder now"
    ANOTHER = "another file than that"
    UNKNOWN = "a file that the record does not name, as those of before did not"
    ABSENT = "a file that does not lie in the folder"


def _origin(recorded: str, current: str | None) -> Origin:
    if current is None:
        return Origin.ABSENT
    if not recorded:
        return Origin.UNKNOWN
    return Origin.CURRENT if recorded == current else Origin.ANOTHER


def of_verification(records: Records) -> Origin | None:
    """Of the verification; None where there is none. One against another Keras model is of another file, too."""
    found = records.verification
    if found is None:
        return None
    return Origin.ANOTHER if _is_against_another_model(records) else _origin(found.graph_sha256, records.graph_sha256)


def _is_against_another_model(records: Records) -> bool:
    against = records.verification.model_sha256 if records.verification else ""
    return bool(against) and records.model_sha256 not in (None, against)


def is_named_as_own(measurement: Measurement, records: Records) -> bool:
    """Whether it is of the run's file or its float twin by its name, not of one that was measured beside them."""
    return PurePath(measurement.file).name in (records.run.tflite.name, records.run.float_tflite.name)


def of_measurement(measurement: Measurement, records: Records) -> Origin:
    """Of one measurement, of the binary file or of its float twin."""
    files = {
        records.run.tflite.name: (records.graph_sha256, records.file_sha256),
        records.run.float_tflite.name: (records.float_graph_sha256, records.float_file_sha256),
    }
    graph, file = files.get(PurePath(measurement.file).name, (None, None))
    if not measurement.graph_sha256 and file is not None and measurement.file_sha256 == file:
        return Origin.CURRENT  # older records name the bytes
    return _origin(measurement.graph_sha256, graph)


def of_profile(records: Records) -> Origin | None:
    """Of the worst measurement on any target; None where there is none."""
    measurements = (measurement for profile in records.profiles for measurement in profile.measurements)
    return _worst(of_measurement(measurement, records) for measurement in measurements)


def _worst(origins: Iterable[Origin]) -> Origin | None:
    order = (Origin.ANOTHER, Origin.UNKNOWN, Origin.ABSENT, Origin.CURRENT)
    return min(origins, key=order.index, default=None)


def is_of_another_model(records: Records) -> bool:
    """Whether the file was converted from another Keras model than the one that lies in the folder now."""
    source = records.metadata.source_sha256 if records.metadata else ""
    return bool(source) and records.model_sha256 not in (None, source)


def remarks(records: Records) -> dict[str, str]:
    """What to know of the records that are not of the file in the folder, by the sections of a report."""
    verified = _remark("accuracy was verified", "verify", of_verification(records), records)
    if _is_against_another_model(records):
        name = records.run.model.name
        verified = f"The accuracy was verified against another {name} than the one that is in the folder now."
    found = {
        "accuracy": verified,
        "latency": _remark("latencies were measured", "profile", of_profile(records), records),
    }
    return {section: remark for section, remark in found.items() if remark}


def _remark(what: str, stage: str, origin: Origin | None, records: Records) -> str:
    cure = f"{records.command(stage)} makes it anew."
    if origin is Origin.ANOTHER:
        return f"The {what} on another {records.run.tflite.name} than the one that is in the folder now. {cure}"
    if origin is Origin.UNKNOWN:
        return f"The {what} on an unknown file: the record is older than the hashes that name one. {cure}"
    return ""
