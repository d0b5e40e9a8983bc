"""Recipes: TOML there and back, and every mistake named with its field."""

import re

import pytest

from mobile_bnn import zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.training import Recipe


def test_toml_there_and_back(tmp_path):
    recipe = Recipe.make(
        zoo="resnet20", epochs=90, schedule="step", step_epochs=[30, 60], label_smoothing=0.1, weight_clip=1.25
    )
    recipe.write(tmp_path / "recipe.toml")
    assert Recipe.read(tmp_path / "recipe.toml") == recipe


def test_every_field_is_documented_in_the_file(tmp_path):
    Recipe.make(zoo="resnet20", epochs=2).write(tmp_path / "recipe.toml")
    text = (tmp_path / "recipe.toml").read_text()
    for name, field in Recipe.model_fields.items():
        assert field.description, name
        assert f"# {name}: {field.description}" in text


@pytest.mark.parametrize("name", zoo.names())
def test_every_architecture_has_a_recipe(name):
    assert Recipe.of_zoo(name).zoo == name


def test_overrides_win():
    recipe = Recipe.of_zoo("resnet20", method="bnn", epochs=3)
    assert (recipe.method, recipe.epochs) == ("bnn", 3)


def test_a_default_bows_to_what_the_user_gives():
    quick = Recipe.of_zoo("quicknet", epochs=1)  # of 600, 5 of them a warm-up
    assert (quick.epochs, quick.warmup_epochs, quick.image_size) == (1, pytest.approx(5 / 600), 224)
    assert Recipe.of_zoo("quicknet", epochs=6).warmup_epochs == 5
    assert Recipe.of_zoo("quicknet", dataset="cifar10").image_size is None
    assert Recipe.of_zoo("quicknet", dataset="image_folder:photos").image_size == 224
    assert Recipe.of_zoo("quicknet", dataset="digits", image_size=64).image_size == 64


def test_steps_of_the_learning_rate_keep_their_share_of_the_epochs():
    whole = Recipe.of_zoo("binary_densenet28")
    assert (whole.epochs, whole.step_epochs) == (120, [100, 110])
    assert Recipe.of_zoo("binary_densenet28", epochs=60).step_epochs == [50, 55]
    one = Recipe.of_zoo("binary_densenet28", epochs=1)
    assert (one.schedule, one.step_epochs) == ("constant", [])
    cosine = Recipe.of_zoo("binary_densenet28", schedule="cosine")
    assert (cosine.schedule, cosine.step_epochs) == ("cosine", [])


@pytest.mark.parametrize("name", zoo.names())
def test_one_epoch_of_every_recipe_fits(name):
    assert Recipe.of_zoo(name, dataset="digits", epochs=1).epochs == 1


def test_none_restores_the_default_of_a_field(tmp_path):
    assert Recipe.of_zoo("quicknet", image_size=None, warmup_epochs=None).warmup_epochs == 0
    Recipe.make(zoo="resnet20", epochs=2, image_size=32, seed=3).write(tmp_path / "recipe.toml")
    recipe = Recipe.read(str(tmp_path / "recipe.toml"), image_size=None, seed=None)
    assert (recipe.image_size, recipe.seed) == (None, 0)
    with pytest.raises(UsageError, match=r"unknown field 'image_sise'. Did you mean image_size"):
        Recipe.of_zoo("quicknet", image_sise=None)


def test_differences_name_the_fields():
    one = Recipe.of_zoo("resnet20", epochs=3)
    other = Recipe.of_zoo("resnet20", epochs=4, seed=1)
    assert one.differences(other) == ["epochs: 3 → 4", "seed: 0 → 1"]
    assert one.differences(one) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epoch": 3}, "recipe: unknown field 'epoch'. Did you mean epochs"),
        ({"epochs": "three"}, "recipe: epochs: Input should be a valid integer (got 'three')"),
        ({"epochs": 2.5}, "recipe: epochs: Input should be a valid integer"),
        ({"epochs": 0}, "recipe: epochs: Input should be greater than or equal to 1 (got 0)"),
        ({"learning_rate": -1.0}, "recipe: learning_rate: Input should be greater than 0 (got -1.0)"),
        ({"learning_rate": float("nan")}, "recipe: learning_rate: Input should be"),
        ({"optimizer": "sgd"}, "recipe: optimizer: Input should be 'adam' or 'bop' (got 'sgd')"),
        ({"label_smoothing": 1.0}, "recipe: label_smoothing: Input should be less than 1 (got 1.0)"),
        ({"schedule": "step"}, "recipe: step_epochs: schedule 'step' needs at least one epoch, such as step_e"),
        ({"step_epochs": [1]}, "recipe: step_epochs: only schedule 'step' has steps, not 'cosine'"),
        ({"schedule": "step", "step_epochs": [5, 2]}, "recipe: step_epochs: must rise"),
        ({"warmup_epochs": 9.0}, "recipe: warmup_epochs: must be less than epochs (9 of 9); warmup_epochs=0 takes"),
        ({"zoo": "resnet"}, "unknown zoo model 'resnet'. Did you mean resnet20"),
        ({"method": "bi-real"}, "unknown method 'bi-real'. Did you mean bi_real"),
        ({"augment": "yes"}, "recipe: augment: Input should be a valid boolean (got 'yes')"),
    ],
)
def test_mistakes_are_named(fields, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        Recipe.make(**{"zoo": "resnet20", "epochs": 9, **fields})


def test_a_missing_field_is_named():
    with pytest.raises(UsageError, match="recipe: epochs: is missing"):
        Recipe.make(zoo="resnet20")


def test_files_that_are_no_recipes(tmp_path):
    with pytest.raises(UsageError, match="there is no recipe"):
        Recipe.read(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("zoo = resnet20")
    with pytest.raises(UsageError, match=r"bad\.toml is not a TOML file"):
        Recipe.read(tmp_path / "bad.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"binary\.toml is not a TOML file"):
        Recipe.read(tmp_path / "binary.toml")


def test_an_unknown_zoo_recipe():
    with pytest.raises(UsageError, match="unknown zoo model 'lenet'"):
        Recipe.of_zoo("lenet")
