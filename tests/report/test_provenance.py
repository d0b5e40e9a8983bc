"""A report never shows a proof or a latency of one file as that of another."""

from pathlib import Path

import pytest

from mobile_bnn.files import sha256
from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.records import Operators, Record, Verification
from mobile_bnn.report import figures, summary, write_html
from mobile_bnn.report.records import read
from mobile_bnn.run_folder import ModelFile, RunFolder
from mobile_bnn.runtime import read_metadata, with_metadata

FLIPS = "Sign flips that rounding does not explain: 1. The file differs from Keras there."
ACCURACY, LATENCY = "Top-1 of the file, test split", "Median latency"


def _cards(run: RunFolder) -> dict[str, figures.KeyFigure]:
    return {card.title: card for card in figures.key_figures(read(run))}


def _another_file(run: RunFolder) -> None:
    """Puts a file with one other name in it into the folder, as a new conversion would."""
    content = bytearray(run.tflite.read_bytes())
    at = content.index(b"conv_1")  # in the name of a tensor
    content[at : at + 6] = b"conv_9"
    run.tflite.write_bytes(bytes(content))


def _changed(run: RunFolder, record: type[Record], path: Path, **fields: object) -> None:
    record.load(path).model_copy(update=fields).save(path)


def test_records_of_the_very_file_stand_without_a_remark(real_file_run: RunFolder) -> None:
    assert figures.cautions(read(real_file_run)) == [FLIPS]
    assert {ACCURACY, LATENCY, "Speed against float"} <= set(_cards(real_file_run))


def test_a_new_record_in_the_file_changes_nothing(real_file_run: RunFolder) -> None:
    content = real_file_run.tflite.read_bytes()
    metadata = read_metadata(content)
    assert metadata
    real_file_run.tflite.write_bytes(with_metadata(content, metadata.model_copy(update={"labels": ["a", "b"]})))
    assert figures.cautions(read(real_file_run)) == [FLIPS]


def test_records_of_another_file_are_stale(real_file_run: RunFolder) -> None:
    table = read(real_file_run).operators
    _another_file(real_file_run)
    folder = str(real_file_run)
    stale = "on another model.tflite than the one that is in the folder now."
    assert figures.cautions(read(real_file_run)) == [
        f"The accuracy was verified {stale} mbnn verify {folder} makes it anew.",
        f"The latencies were measured {stale} mbnn profile {folder} makes it anew.",
        FLIPS,
    ]
    cards = _cards(real_file_run)
    assert not {ACCURACY, LATENCY, "Speed against float"} & set(cards)
    page = write_html(real_file_run).read_text(encoding="utf-8")
    for section in ("accuracy", "latency"):
        assert stale in page.partition(f'<section id="{section}">')[2].partition("</section>")[0]
    # The operators are those of the file itself.
    assert read(real_file_run).operators != table
    assert any("conv_9" in row.layer for row in read(real_file_run).operators.operators)


def test_a_new_float_twin_makes_the_ratio_stale(real_file_run: RunFolder) -> None:
    content = bytearray(real_file_run.float_tflite.read_bytes())
    content[content.index(b"conv_1") + 5] = ord("9")
    real_file_run.float_tflite.write_bytes(bytes(content))
    cards = _cards(real_file_run)
    assert LATENCY in cards
    assert "Speed against float" not in cards
    assert any("The latencies were measured on another" in text for text in figures.cautions(read(real_file_run)))


def test_a_verification_against_another_keras_model_is_stale(real_file_run: RunFolder) -> None:
    real_file_run.model.write_bytes(b"weights")
    _changed(real_file_run, Verification, real_file_run.verification, model_sha256=sha256(real_file_run.model))
    assert ACCURACY in _cards(real_file_run)
    real_file_run.model.write_bytes(b"other weights")
    assert ACCURACY not in _cards(real_file_run)
    told = "The accuracy was verified against another model.keras than the one that is in the folder now."
    assert told in figures.cautions(read(real_file_run))


def test_a_file_of_another_keras_model_is_told(real_file_run: RunFolder) -> None:
    real_file_run.model.write_bytes(b"weights")
    content = real_file_run.tflite.read_bytes()
    metadata = read_metadata(content)
    assert metadata
    of_model = metadata.model_copy(update={"source_sha256": sha256(real_file_run.model)})
    real_file_run.tflite.write_bytes(with_metadata(content, of_model))
    assert figures.cautions(read(real_file_run)) == [FLIPS]
    real_file_run.model.write_bytes(b"other weights")
    told = "model.tflite was converted from another model.keras than the one that is in the folder now."
    told += f" mbnn convert {real_file_run} makes it anew."
    assert told in figures.cautions(read(real_file_run))


@pytest.mark.parametrize("exact", [False, True])
def test_records_of_before_are_of_an_unknown_file(real_file_run: RunFolder, exact: bool) -> None:
    """They name no graph; measurements name the bytes of their file, which may still be there."""
    sha = sha256(real_file_run.tflite) if exact else "0" * 64
    floats = sha256(real_file_run.float_tflite) if exact else "0" * 64
    _changed(real_file_run, Verification, real_file_run.verification, graph_sha256="")
    profile = Profile.load(real_file_run.profile())
    old: list[Measurement] = [
        each.model_copy(update={"graph_sha256": "", "file_sha256": floats if "float" in each.file else sha})
        for each in profile.measurements
    ]
    profile.model_copy(update={"measurements": old}).save(real_file_run.profile())
    cautions = figures.cautions(read(real_file_run))
    assert [text.partition(": ")[0] for text in cautions if "unknown file" in text] == [
        "The accuracy was verified on an unknown file",
        *([] if exact else ["The latencies were measured on an unknown file"]),
    ]
    assert _cards(real_file_run)[ACCURACY].lines[-1] == "of an unknown file"


def test_an_operator_table_of_before_is_read_from_the_file(real_file_run: RunFolder) -> None:
    _changed(real_file_run, Operators, real_file_run.operators, graph_sha256="")
    operators = read(real_file_run).operators
    assert operators
    assert [row.name for row in operators.operators].count("LceBconv2d") == 2


def test_figures_of_a_file_that_is_not_here(recorded_run: RunFolder) -> None:
    told = "The folder holds no model.tflite: the figures are of a file that is not here."
    assert told in figures.cautions(read(recorded_run))


def test_a_file_alone_is_reported_with_what_lies_beside_it(
    binary_tflite: Path, real_file_run: RunFolder, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    file = ModelFile(folder / "my net.tflite")
    file.tflite.write_bytes(binary_tflite.read_bytes())
    records = read(file)
    assert [missing.command for missing in records.missing] == [
        f"mbnn verify '{file}' --model KERAS_MODEL --dataset NAME",
        f"mbnn profile '{file}'",
    ]
    assert records.command("convert") == f"mbnn convert '{folder / 'my net.keras'}'"
    assert write_html(file) == folder / "my net_report.html"
    (folder / "my net_profile.json").write_bytes(real_file_run.profile().read_bytes())
    assert read(file).profiles
    assert summary(file)
    assert sorted(path.name for path in folder.iterdir()) == [
        "my net.tflite", "my net_profile.json", "my net_report.html",
    ]  # fmt: skip
