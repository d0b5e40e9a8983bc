"""Published results as recipes, and the table of what was reproduced."""

import json

import pytest

from mobile_bnn import methods, pipeline, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.training import reproductions
from mobile_bnn.training.reproductions import Row

NAMES = reproductions.names()
PAPERS = [name for name in NAMES if "[published]" in (reproductions.FOLDER / f"{name}.toml").read_text()]
RECIPE = '[recipe]\nzoo = "binary_lenet"\nepochs = 1\n'


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_can_be_built(name):
    """Its architecture has what its method needs; its fields are checked by reading it."""
    found = reproductions.get(name)
    entry = zoo.get(found.recipe.zoo)
    assert found.recipe.method.needs <= entry.offers - found.recipe.network.lacks()
    dataset = found.recipe.data.name
    assert {"imagenet2012": "imagenet"}.get(dataset, dataset) in name.split("-")


@pytest.mark.parametrize("name", PAPERS)
def test_a_published_number_is_not_on_a_card_with_another_value(name):
    """The cards of methods and the registrations of networks were read in the sources, too."""
    found = reproductions.get(name)
    source = found.published.source
    cards = (*methods.get(found.recipe.method.card.name).card.published, *zoo.get(found.recipe.zoo).published)
    sets = {"cifar10": "CIFAR-10", "imagenet2012": "ImageNet"}
    same = [each for each in cards if each.dataset == sets[found.recipe.data.name] and each.source == source]
    networks = [each for each in same if each.network == found.published.network]
    assert found.published.value in {each.top1 for each in networks} or not networks


def test_what_was_reproduced_is_known_and_near_its_claim():
    rows = reproductions.reproduced()
    assert set(rows) <= set(NAMES)
    for name, row in rows.items():
        found = reproductions.get(name)
        assert row.epochs == found.recipe.epochs
        assert row.headline == found.recipe.task.headline
        assert abs(row.keras - row.tflite) <= 2 / row.images


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of reproductions in an empty checkout."""
    monkeypatch.setattr(reproductions, "FOLDER", tmp_path / "checkout" / "zoo" / "reproductions")
    reproductions.FOLDER.mkdir(parents=True)
    (tmp_path / "checkout" / "pyproject.toml").touch()
    return reproductions.FOLDER


def test_reproducing_trains_converts_verifies_and_writes_the_row(folder, tmp_path):
    (folder / "mine.toml").write_text(RECIPE)
    done = pipeline.reproduce("mine", tmp_path / "run")
    row = reproductions.reproduced()["mine"]
    assert done.row == row
    assert (row.headline, row.images, row.epochs) == ("top-1", 360, 1)
    assert 0 <= row.tflite <= 1
    assert (tmp_path / "run" / "model.tflite").is_file()
    assert done.kept == folder / "reproduced.json"
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history["test"]["accuracy"] == pytest.approx(row.keras, abs=1e-6)
    assert "row written to" in str(done)
    # Once more: nothing is left to train, and other rows stay.
    reproductions.keep("other", row)
    assert pipeline.reproduce("mine", tmp_path / "run").row == row
    assert set(reproductions.reproduced()) == {"mine", "other"}


def test_outside_of_a_checkout_no_row_is_written(folder):
    (folder.parents[1] / "pyproject.toml").unlink()
    row = Row(
        headline="top-1", keras=0.5, tflite=0.5, images=2, epochs=1, hours=0.1, processor="Zen", versions="mobile_bnn 1"
    )
    assert reproductions.keep("mine", row) is None
    assert not (folder / "reproduced.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[published", "mine.toml is not a TOML file"),
        ("", "mine.toml has no table [recipe]"),
        ("[recipe]\nepochs = 1", "mine.toml has no table [recipe] with an architecture, zoo"),
        (RECIPE + "[[x]]\n", "mine.toml: unknown table 'x'. Known: published, recipe"),
        (RECIPE + "epoch = 2\n", "unknown field 'epoch'. Did you mean epochs"),
        (RECIPE + "[published]\nvalue = 140.0\n", "mine.toml: "),
    ],
)
def test_a_file_that_is_not_one_is_refused_in_one_line(folder, text, message):
    (folder / "mine.toml").write_text(text)
    with pytest.raises(UsageError) as refused:
        reproductions.get("mine")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_name_is_refused_with_the_nearest(folder):
    (folder / "mine.toml").write_text(RECIPE)
    with pytest.raises(UsageError, match=r"unknown reproduction 'mime'\. Did you mean mine"):
        pipeline.reproduce("mime")
