"""Derived figures: fair speed ratios, totals, shares, and what a reader is warned of."""

from collections.abc import Callable

import pytest

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.records import Epoch, History
from mobile_bnn.report import as_json, figures, tables, write_html
from mobile_bnn.report.records import read
from mobile_bnn.run_folder import RunFolder

Measure = Callable[..., Measurement]


def _profile(profile: Profile, *measurements: Measurement) -> Profile:
    return profile.model_copy(update={"measurements": list(measurements)})


def test_speed_compares_only_thread_counts_that_both_were_timed_at(profile: Profile, measure: Measure) -> None:
    one = measure("lce", "bgemm", 1, 1.0, "model.tflite")
    four = measure("lce", "bgemm", 4, 0.3, "model.tflite")
    baseline = measure("litert", "xnnpack", 1, 0.5, "model_float.tflite")
    mixed = _profile(profile, one, four, baseline)
    assert figures.fastest(mixed) is four
    assert figures.fair_pair(mixed) == (one, baseline)
    assert figures.speed(one, baseline) == baseline.median_ms / one.median_ms
    assert figures.speed_at_same_threads(four, mixed) is None


def test_speed_takes_the_best_of_both_sides(profile: Profile) -> None:
    pair = figures.fair_pair(profile)
    assert pair is not None
    assert [(one.engine, one.kernel, one.threads) for one in pair] == [
        ("lce", "indirect_bgemm", 2),
        ("litert", "xnnpack", 1),
    ]


def test_no_float_file_means_no_ratio(profile: Profile, measure: Measure) -> None:
    alone = _profile(profile, measure("lce", "bgemm", 1, 1.0, "model.tflite"))
    assert figures.fair_pair(alone) is None
    assert figures.fastest(_profile(profile)) is None
    assert figures.speed(alone.measurements[0], None) is None


@pytest.mark.parametrize(
    ("times", "words"),
    [(2.0, "faster than float LiteRT"), (0.4, "slower than float LiteRT"), (1.001, "as fast as float LiteRT")],
)
def test_verdict_is_plain(times: float, words: str) -> None:
    assert figures.verdict(times) == words


def test_lce_remark_only_for_lce_on_x86(profile: Profile) -> None:
    arm = profile.machine.model_copy(update={"architecture": "aarch64"})
    assert figures.lce_on_x86(profile)
    assert not figures.lce_on_x86(profile.model_copy(update={"machine": arm}))
    assert not figures.lce_on_x86(_profile(profile, *profile.measurements[4:]))


def test_binary_share() -> None:
    assert figures.binary_share(3, 1) == 0.75
    assert figures.binary_share(0, 0) is None


def test_best_epoch_is_the_first_of_equals() -> None:
    epochs = [
        Epoch(epoch=number, seconds=1, learning_rate=0.1, metrics={"val_sparse_categorical_accuracy": value})
        for number, value in enumerate((0.5, 0.9, float("nan"), 0.9), start=1)
    ]
    best = figures.best_epoch(History(epochs=epochs))
    assert best is not None
    assert best.epoch == 2
    unmeasured = Epoch(epoch=1, seconds=1, learning_rate=0.1, metrics={"loss": 1.0})
    assert figures.best_epoch(History(epochs=[unmeasured])) is None


def test_best_epoch_is_never_one_without_a_number() -> None:
    epochs = [
        Epoch(epoch=number, seconds=1, learning_rate=0.1, metrics={"val_accuracy": value})
        for number, value in enumerate((float("nan"), 0.4), start=1)
    ]
    best = figures.best_epoch(History(epochs=epochs))
    assert best is not None
    assert best.epoch == 2


def test_identity_without_metadata_comes_from_the_recipe(recorded_run: RunFolder) -> None:
    assert figures.identity(read(recorded_run)) == ["binary_lenet", "bnn", "digits"]
    sections = 'zoo = "resnet20"\n[method]\nname = "ir_net"\n[data]\nname = "mnist"\n'
    recorded_run.recipe.write_text(sections, encoding="utf-8")
    assert figures.identity(read(recorded_run)) == ["resnet20", "ir_net", "mnist"]
    recorded_run.recipe.unlink()
    assert figures.identity(read(recorded_run)) == ["digits"]


def test_several_binary_files_are_told_apart_by_name(profile: Profile, measure: Measure) -> None:
    two = _profile(profile, *(measure("lce", "bgemm", 1, 1.0, name) for name in ("a.tflite", "b.tflite")))
    assert [row[1] for row in tables.latency([two]).rows] == ["lce · bgemm, a.tflite", "lce · bgemm, b.tflite"]
    assert tables.latency([profile]).rows[0][:2] == ["local", "lce · bgemm"]


def test_a_larger_file_is_called_larger(real_file_run: RunFolder) -> None:
    records = read(real_file_run)
    small, large = sorted((records.file_bytes or 0, records.float_file_bytes or 0))
    lines = {card.title: card.lines for card in figures.key_figures(records)}
    assert lines["File size"][1] == f"{large / small:.1f}× smaller"
    real_file_run.float_tflite.write_bytes(b"x" * ((records.file_bytes or 0) // 2))
    lines = {card.title: card.lines for card in figures.key_figures(read(real_file_run))}
    assert lines["File size"][1] == "2.00× larger"


def test_before_the_verification_the_accuracy_is_the_trainings_own(empty_run: RunFolder, history: History) -> None:
    history.model_copy(update={"test": {"loss": 0.5, "accuracy": 0.9125}}).save(empty_run.history)
    (card,) = figures.key_figures(read(empty_run))
    assert (card.title, card.value) == ("Top-1 of the Keras model, test split", "91.25 %")
    assert card.lines == ["the file is not verified yet"]


def test_targets_are_compared_with_themselves_only(recorded_run: RunFolder, profile: Profile) -> None:
    """A board is slower than the host: neither is its binary file slower than the host's float one."""
    slower = [each.model_copy(update={"median_ms": 100 * each.median_ms}) for each in profile.measurements]
    board = profile.model_copy(update={"target": "ssh://pi@board", "measurements": slower})
    board.save(recorded_run.profile(board.target))
    records = read(recorded_run)
    table = tables.latency(records.profiles)
    here, there = table.rows[: len(slower)], table.rows[len(slower) :]
    assert ({row[0] for row in here}, {row[0] for row in there}) == ({"local"}, {"ssh://pi@board"})
    assert [row[-1] for row in here] == [row[-1] for row in there]
    cards = [card for card in figures.key_figures(records) if card.title == "Speed against float"]
    assert [card.lines[0] for card in cards] == ["on local", "on ssh://pi@board"]
    assert cards[0].value == cards[1].value
    targets = as_json(recorded_run)["targets"]
    assert [each["target"] for each in targets] == ["local", "ssh://pi@board"]
    assert "Latency of the runs on ssh://pi@board" in write_html(recorded_run).read_text(encoding="utf-8")


def test_networks_that_were_measured_beside_a_file_are_not_its_own(real_file_run: RunFolder) -> None:
    profile = Profile.load(real_file_run.profile())
    faster = {"file": "elsewhere/tiny.tflite", "graph_sha256": "d" * 64, "median_ms": 0.0001, "threads": 1}
    binary = profile.measurements[0].model_copy(update=faster)
    floats = profile.measurements[-1].model_copy(update={**faster, "file": "elsewhere/mobilenet.tflite"})
    machine = profile.machine.model_copy(update={"emulated": True})
    changed = {"measurements": [*profile.measurements, binary, floats], "machine": machine}
    profile.model_copy(update=changed).save(real_file_run.profile())
    records = read(real_file_run)
    cards = {card.title: card for card in figures.key_figures(records)}
    best = min(each.median_ms for each in profile.measurements if not figures.is_float_baseline(each))
    assert cards["Median latency"].value == f"{best:.4f} ms"
    assert "emulated" in cards["Median latency"].lines
    assert "Speed against float" in cards
