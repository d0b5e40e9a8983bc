"""A classifier class by class: tables, matrix and pictures against counts made by hand."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.prediction_records import Cell, Mistake, Predictions
from mobile_bnn.records import Verification
from mobile_bnn.report import classes
from mobile_bnn.report.records import read
from mobile_bnn.run_folder import RunFolder

HOSTILE = "<script>alert(1)</script>"
PNG = "data:image/png;base64,iVBORw0KGgo="


def counted(confusion: dict[tuple[int, int], int], labels: list[str], **fields: Any) -> Predictions:
    cells = [Cell(*pair, images) for pair, images in confusion.items()]
    known = {"dataset": "animals", "split": "test", "mistakes": [], "samples": sum(confusion.values())}
    return Predictions(labels=labels, confusion=cells, **{**known, **fields})


@pytest.fixture
def animals() -> Predictions:
    """Ten cats, eight of them recognized; four dogs, all; a fox is taken for a class that has no name."""
    confusion = {(0, 0): 8, (0, 1): 2, (1, 1): 4, (2, 7): 1}
    return counted(confusion, ["cat", "dog", "fox", "owl"])


def test_each_class_by_its_own_images(animals: Predictions) -> None:
    table = classes.accuracy(animals)
    assert table.caption == "Classes on 15 images of the test split of animals, the least accurate first"
    assert [column.header for column in table.columns] == [
        "class", "images", "recognized", "accuracy", "95 % interval", "precision", "mostly taken for",
    ]  # fmt: skip
    assert table.rows == [
        ["fox", "1", "0", "0.0 %", "0.0–79.3 %", "–", "class 7 (1)"],
        ["cat", "10", "8", "80.0 %", "49.0–94.3 %", "100.0 %", "dog (2)"],
        ["dog", "4", "4", "100.0 %", "51.0–100.0 %", "66.7 %", "–"],
    ]  # the split has no owl


def test_the_most_frequent_mistake_of_a_class_stands_in_its_row() -> None:
    found = counted({(0, 1): 1, (0, 2): 5, (0, 3): 2}, ["cat", "dog", "fox", "owl"])
    assert [row[-1] for row in classes.accuracy(found).rows] == ["fox (5)"]


def test_the_interval_agrees_with_scipys() -> None:
    """scipy.stats.binomtest(right, images).proportion_ci(method="wilson")."""
    assert classes.interval(33, 35) == "81.4–98.4 %"
    assert classes.interval(0, 20) == "0.0–16.1 %"
    assert classes.interval(950, 1000) == "93.5–96.2 %"


def test_what_is_mistaken_most(animals: Predictions) -> None:
    table = classes.confused(animals)
    assert table is not None
    assert table.rows == [["cat", "dog", "2", "20.0 %"], ["fox", "class 7", "1", "100.0 %"]]
    first = classes.confused(animals, most=1)
    assert first is not None
    assert first.rows == table.rows[:1]
    assert first.caption.endswith("of animals; the 1 most frequent of 2 pairs")
    assert classes.confused(counted({(0, 0): 3}, ["cat"])) is None


def test_the_matrix_holds_every_class(animals: Predictions) -> None:
    matrix = classes.matrix(animals)
    assert matrix.names == ["cat", "dog", "fox", "owl", "class 7"]
    assert matrix.images == [[8, 2, 0, 0, 0], [0, 4, 0, 0, 0], [0, 0, 0, 0, 1], [0] * 5, [0] * 5]
    assert (matrix.others, matrix.left_out) == ([0] * 5, 0)


def test_a_large_matrix_is_cut_to_the_classes_with_most_mistakes() -> None:
    labels = [f"class of {number}" for number in range(1000)]
    right = {(number, number): 40 for number in range(1000)}
    wrong = {(500 + number, 520 + number): 3 for number in range(10)}
    found = counted({**right, **wrong, (500, 999): 2, (3, 4): 1}, labels)
    matrix = classes.matrix(found)
    assert matrix.names == [labels[number] for number in (*range(500, 510), *range(520, 530))]
    assert matrix.left_out == 980
    assert matrix.images[0][10] == 3
    assert matrix.images[0][0] == 40
    assert matrix.others == [2, *[0] * 19]
    rows = [sum(images) + others for images, others in zip(matrix.images, matrix.others, strict=True)]
    assert rows == [45, *[43] * 9, *[40] * 10]  # all images of each class
    table = classes.accuracy(found)
    assert len(table.rows) == 100
    assert table.rows[0][:3] == ["class of 500", "45", "40"]
    assert table.caption.endswith("; 100 of 1,000")


def test_names_are_safe_to_print_and_short() -> None:
    found = counted({(0, 1): 1}, ["x" * 5000, "red\x1b[31m\u202e", HOSTILE])
    table = classes.accuracy(found)
    assert table.rows[0][0] == "x" * 39 + "…"
    assert table.rows[0][-1] == "red�[31m� (1)"
    assert classes.matrix(found).names[2] == HOSTILE  # the page escapes it


@pytest.fixture
def beside(recorded_run: RunFolder, verification: Verification) -> Callable[..., RunFolder]:
    """Saves predictions beside the run's verification of 360 digits, which they belong to unless told otherwise."""

    def save(**fields: Any) -> RunFolder:
        mistakes = [Mistake(index=5, true=3, predicted=8, image=PNG), Mistake(index=9, true=1, predicted=12, image="")]
        of = verification.model_dump(include={"dataset", "split", "samples", "graph_sha256"})
        known = {**of, "mistakes": mistakes, **fields}
        confusion = {(3, 3): known["samples"] - 2, (3, 8): 1, (1, 12): 1}
        counted(confusion, list("0123456789"), **known).save(recorded_run.predictions)
        return recorded_run

    return save


def test_what_belongs_to_the_verification_is_shown(beside: Callable[..., RunFolder]) -> None:
    found = classes.of(read(beside()))
    assert found is not None
    assert found.mistakes == 2
    assert found.pictures == [classes.Picture(PNG, "3", "8", 5), classes.Picture("", "1", "class 12", 9)]
    assert found.accuracy.rows[0][0] == "1"
    assert found.confused is not None
    assert len(found.matrix.names) == 11


@pytest.mark.parametrize("other", [{"graph_sha256": "1" * 64}, {"dataset": "mnist"}, {"samples": 64}, {"split": "x"}])
def test_what_is_of_another_verification_is_not(beside: Callable[..., RunFolder], other: dict[str, Any]) -> None:
    assert classes.of(read(beside(**other))) is None


def test_runs_of_before_have_none(recorded_run: RunFolder, beside: Callable[..., RunFolder]) -> None:
    assert classes.of(read(recorded_run)) is None
    run = beside()
    run.verification.unlink()
    assert classes.of(read(run)) is None


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (("358", "359"), r"Value error, confusion: 361 images, not 360"),
        ((PNG, "https://example.org/a.png"), r"mistakes\.0\.image: String should match pattern"),
        ((PNG, PNG + '\\" onerror=\\"alert(1)'), r"mistakes\.0\.image: String should match pattern"),
        (('"true": 3', '"true": "three"'), r"mistakes\.0\.true: Input should be a valid integer"),
    ],
)
def test_a_damaged_record_says_so(beside: Callable[..., RunFolder], damage: tuple[str, str], why: str) -> None:
    run = beside()
    content = run.predictions.read_text()
    assert damage[0] in content
    run.predictions.write_text(content.replace(*damage))
    with pytest.raises(MobileBnnError, match=rf"predictions\.json is not a predictions file: .*{why}"):
        read(run)


def test_the_record_survives_its_file(animals: Predictions, recorded_run: RunFolder) -> None:
    animals.save(recorded_run.predictions)
    assert Predictions.load(recorded_run.predictions) == animals
    assert re.search(r"\[\s+0,\s+1,\s+2\s+\]", recorded_run.predictions.read_text())
    recorded_run.clear()
    assert not recorded_run.predictions.exists()
