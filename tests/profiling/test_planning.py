"""What a session measures: settings, rounds, shares."""

from pathlib import Path

import pytest

from mobile_bnn.errors import UsageError
from mobile_bnn.profile_records import CoreKind, Machine
from mobile_bnn.profiling.jobs import Job
from mobile_bnn.profiling.planning import Amount, in_turns, settings

JOBS = [Job("delegate", "auto", Path("m.tflite")), Job("litert", "xnnpack", Path("m_float.tflite"))]


def machine(*kinds: CoreKind) -> Machine:
    facts = {"system": "Linux", "cpu": "x", "architecture": "aarch64", "memory_bytes": 1, "governor": "unknown"}
    return Machine.model_validate(
        facts | {"logical_cores": 6, "flags": [], "load_1min": 0.0, "python": "", "cores": list(kinds)}
    )


PHONE = machine(CoreKind(name="big", cpus=[4, 5]), CoreKind(name="little", cpus=[0, 1, 2, 3]))


@pytest.mark.parametrize(
    ("runs", "rounds", "shares"), [(20, 3, [7, 7, 6]), (2, 3, [1, 1]), (1, 3, [1]), (None, 3, [34, 33, 33])]
)
def test_rounds_share_the_runs(runs: int | None, rounds: int, shares: list[int]) -> None:
    amount = Amount(runs, rounds=rounds)
    assert [amount.runs_in(number) for number in range(amount.rounds)] == shares


def test_every_job_is_measured_on_every_kind_of_cores() -> None:
    plan = settings(JOBS, [1, 2, 1], ["big", "little", "all"], PHONE)
    assert len(plan) == 2 * 3 * 2
    assert str(plan[0]) == "m.tflite with delegate (auto), 1 thread on big cores"
    assert {each.cores: each.cpus for each in plan} == {
        "big": (4, 5),
        "little": (0, 1, 2, 3),
        "all": (0, 1, 2, 3, 4, 5),
    }


@pytest.mark.parametrize(
    ("cores", "there", "message"),
    [
        (["bog"], PHONE, "unknown kind of cores 'bog'. Did you mean big? Known: all, big, little"),
        (["middle"], PHONE, "unknown kind of cores 'middle'. Known: all, big, little"),
        (
            ["big"],
            machine(CoreKind(name="all", cpus=[0, 1])),
            "there are no big cores: the target does not tell cores of several kinds. Use --cores all",
        ),
    ],
)
def test_kinds_that_there_are_not(cores: list[str], there: Machine, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(JOBS, [1], cores, there)
    assert str(caught.value) == message


def test_every_other_round_goes_backwards() -> None:
    plan = settings(JOBS, [1, 2], [], PHONE)
    turns = in_turns(plan, 3)
    assert [setting for number, setting in turns if number == 1] == plan[::-1]
    assert [setting for number, setting in turns if number == 2] == plan
    assert [number for number, _ in turns] == [0] * 4 + [1] * 4 + [2] * 4


def test_no_rounds() -> None:
    with pytest.raises(UsageError, match=r"0 rounds cannot be measured\. Ask for 1 round or more"):
        Amount(rounds=0)
