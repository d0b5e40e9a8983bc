"""A session that is cut off keeps what it measured, and the next one asks for the rest only."""

from pathlib import Path

import pytest

from mobile_bnn import pipeline
from mobile_bnn.profiling import TargetLostError, jobs_for, profile
from mobile_bnn.profiling.messages import Answer, Request
from mobile_bnn.profiling.targets import Local


class Cable(Local):
    """This machine, behind a cable that is pulled out after so many measurements."""

    def __init__(self, lasts: int) -> None:
        self.lasts, self.asked = lasts, 0

    def measure(self, request: Request) -> Answer:
        if self.asked == self.lasts:
            raise TargetLostError("the connection to the board was lost", cure="Plug it in")
        self.asked += 1
        return super().measure(request)


def measure(path: Path, target: Local, journal: Path, *, resume: bool) -> list[list[float]]:
    """The latencies of two measurements in three rounds."""
    result = profile(jobs_for(path, ["litert"]), target=target, runs=6, threads=[1, 2], journal=journal, resume=resume)
    return [each.latencies_ms for each in result.measurements]


def test_a_lost_target_costs_one_measurement(float_tflite: Path, tmp_path: Path) -> None:
    journal = tmp_path / "a" / "local.partial"
    with pytest.raises(TargetLostError) as caught:
        measure(float_tflite, Cable(4), journal, resume=False)
    assert str(caught.value) == "the connection to the board was lost, after 4 of 6 measurements. Plug it in"
    assert len(journal.read_text().splitlines()) == 4
    rest = Cable(99)
    latencies = measure(float_tflite, rest, journal, resume=True)
    assert rest.asked == 2
    assert [len(each) for each in latencies] == [6, 6]
    assert not journal.exists()  # the session has ended


def test_a_line_that_was_cut_off_is_measured_anew(float_tflite: Path, tmp_path: Path) -> None:
    journal = tmp_path / "local.partial"
    with pytest.raises(TargetLostError):
        measure(float_tflite, Cable(4), journal, resume=False)
    content = journal.read_bytes()
    journal.write_bytes(content[:-100])
    again = Cable(1)
    with pytest.raises(TargetLostError):
        measure(float_tflite, again, journal, resume=True)
    assert journal.read_bytes().count(b"\n") == 4
    rest = Cable(99)
    measure(float_tflite, rest, journal, resume=True)
    assert (again.asked, rest.asked) == (1, 2)


def test_without_resume_all_is_measured_anew(float_tflite: Path, tmp_path: Path) -> None:
    journal = tmp_path / "local.partial"
    with pytest.raises(TargetLostError):
        measure(float_tflite, Cable(4), journal, resume=False)
    anew = Cable(99)
    measure(float_tflite, anew, journal, resume=False)
    assert anew.asked == 6


def test_another_question_is_not_answered_by_the_journal(float_tflite: Path, tmp_path: Path) -> None:
    journal = tmp_path / "local.partial"
    with pytest.raises(TargetLostError):
        measure(float_tflite, Cable(4), journal, resume=False)
    other = Cable(99)
    profile(jobs_for(float_tflite, ["litert"]), target=other, runs=9, threads=[1], journal=journal, resume=True)
    assert other.asked == 3


class Told(pipeline.Watcher):
    """Remembers the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, label: str, text: str) -> None:
        self.warnings.append(f"{label}: {text}")


def test_the_pipeline_says_how_to_go_on(float_tflite: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(float_tflite.read_bytes())
    told = Told()
    with pytest.raises(TargetLostError):
        pipeline.profile(path, target=Cable(2), runs=3, threads=[1], watcher=told)
    assert told.warnings == ["kept: what was measured; the same command with --resume goes on from there"]
    rest = Cable(99)
    found = pipeline.profile(path, target=rest, runs=3, threads=[1], resume=True)
    assert rest.asked == 1
    assert found.record.measurements[0].runs == 3
    assert [each.name for each in (tmp_path / "m_profiles").iterdir()] == ["local.json"]
