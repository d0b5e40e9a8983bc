"""Recipes: TOML there and back, and every mistake named with its field."""

import re

import pytest
from pydantic import BaseModel

from mobile_bnn import methods, zoo
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.training import Recipe
from tests.support.fixtures import FIXTURES


def test_toml_there_and_back(tmp_path):
    recipe = Recipe.make(
        zoo="resnet20", epochs=90, schedule="step", step_epochs=[30, 60], label_smoothing=0.1, weight_clip=1.25
    )
    recipe.write(tmp_path / "recipe.toml")
    assert Recipe.read(tmp_path / "recipe.toml") == recipe


def test_every_field_is_documented_in_the_file(tmp_path):
    Recipe.make(zoo="resnet20", epochs=2).write(tmp_path / "recipe.toml")
    text = (tmp_path / "recipe.toml").read_text()
    recipe = Recipe.read(tmp_path / "recipe.toml")
    sections = [recipe.task, recipe.method, recipe.data, recipe.optimizer, recipe.schedule, recipe.runtime]
    own = [name for name in Recipe.model_fields if not isinstance(getattr(recipe, name), BaseModel)]
    fields = [(name, Recipe.model_fields[name]) for name in own]
    for section in sections:
        fields += type(section).model_fields.items()
    for name, field in fields:
        assert field.description, name
        assert f"# {name}: {field.description}" in text


@pytest.mark.parametrize("name", zoo.names())
def test_every_architecture_has_a_recipe(name):
    assert Recipe.of_zoo(name).zoo == name


def test_overrides_win():
    recipe = Recipe.of_zoo("resnet20", method="bnn", epochs=3)
    assert (recipe.method.card.name, recipe.epochs) == ("bnn", 3)


def test_a_default_bows_to_what_the_user_gives():
    quick = Recipe.of_zoo("quicknet", epochs=1)  # of 600, 5 of them a warm-up
    assert (quick.epochs, quick.schedule.warmup_epochs, quick.data.image_size) == (1, pytest.approx(5 / 600), 224)
    assert Recipe.of_zoo("quicknet", epochs=6).schedule.warmup_epochs == 5
    assert Recipe.of_zoo("quicknet", dataset="cifar10").data.image_size is None
    assert Recipe.of_zoo("quicknet", dataset="image_folder:photos").data.image_size == 224
    assert Recipe.of_zoo("quicknet", dataset="digits", image_size=64).data.image_size == 64


def test_steps_of_the_learning_rate_keep_their_share_of_the_epochs():
    whole = Recipe.of_zoo("binary_densenet28")
    assert (whole.epochs, whole.schedule.epochs) == (120, [100, 110])
    assert Recipe.of_zoo("binary_densenet28", epochs=60).schedule.epochs == [50, 55]
    one = Recipe.of_zoo("binary_densenet28", epochs=1)
    assert one.nested()["schedule"] == {"name": "constant", "warmup_epochs": 0}
    cosine = Recipe.of_zoo("binary_densenet28", schedule="cosine")
    assert cosine.nested()["schedule"] == {"name": "cosine", "warmup_epochs": 0}


@pytest.mark.parametrize("name", zoo.names())
def test_one_epoch_of_every_recipe_fits(name):
    assert Recipe.of_zoo(name, dataset="digits", epochs=1).epochs == 1


def test_none_restores_the_default_of_a_field(tmp_path):
    assert Recipe.of_zoo("quicknet", image_size=None, warmup_epochs=None).schedule.warmup_epochs == 0
    Recipe.make(zoo="resnet20", epochs=2, image_size=32, seed=3).write(tmp_path / "recipe.toml")
    recipe = Recipe.read(str(tmp_path / "recipe.toml"), image_size=None, seed=None)
    assert (recipe.data.image_size, recipe.runtime.seed) == (None, 0)
    with pytest.raises(UsageError, match=r"unknown field 'image_sise'. Did you mean image_size"):
        Recipe.of_zoo("quicknet", image_sise=None)


def test_differences_name_the_fields():
    one = Recipe.of_zoo("resnet20", epochs=3)
    other = Recipe.of_zoo("resnet20", epochs=4, seed=1)
    assert one.differences(other) == ["epochs: 3 → 4", "runtime.seed: 0 → 1"]
    assert one.differences(one) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epoch": 3}, "recipe: unknown field 'epoch'. Did you mean epochs"),
        ({"epochs": "three"}, "recipe: epochs: Input should be a valid integer (got 'three')"),
        ({"epochs": 2.5}, "recipe: epochs: Input should be a valid integer"),
        ({"epochs": 0}, "recipe: epochs: Input should be greater than or equal to 1 (got 0)"),
        ({"learning_rate": -1.0}, "recipe: optimizer.learning_rate: Input should be greater than 0 (got -1.0)"),
        ({"learning_rate": float("nan")}, "recipe: optimizer.learning_rate: Input should be"),
        ({"optimizer.learning_rat": 0.1}, "unknown field of optimizer adam 'learning_rat'. Did you mean learning_rate"),
        ({"optimiser.learning_rate": 0.1}, "recipe: unknown field 'optimiser.learning_rate'. Did you mean"),
        (
            {"optimizer": "adan"},
            "unknown optimizer 'adan'. Did you mean adam or adamax? Known: adam, adamax, rmsprop, sgd",
        ),
        ({"label_smoothing": 1.0}, "recipe: task.label_smoothing: Input should be less than 1 (got 1.0)"),
        ({"task": "clasification"}, "unknown task 'clasification'. Did you mean classification?"),
        ({"schedule": "step"}, "recipe: schedule.epochs: needs at least one, such as epochs=[30,60]"),
        ({"step_epochs": [1]}, "recipe: unknown field of schedule cosine 'epochs'. Did you mean warmup_epochs?"),
        ({"schedule": "step", "step_epochs": [5, 2]}, "recipe: schedule.epochs: must rise"),
        ({"warmup_epochs": 9.0}, "recipe: schedule.warmup_epochs: must be less than epochs (9 of 9); warmup_epochs=0"),
        (
            {"method.alpha": 1.0},
            "recipe: unknown field of method bnn 'alpha'. Known: bop, clip, float_kernels, float_start, input_gradient",
        ),
        ({"method": 3}, "recipe: method: is a section, or a name (got 3)"),
        ({"teacher": "run"}, "recipe: teacher.run: names no folder"),
        ({"teacher": "float_twin", "teacher.weight": 0.0}, "recipe: teacher.weight: Input should be greater than 0"),
        ({"zoo": "resnet2"}, "unknown zoo model 'resnet2'. Did you mean resnet20"),
        ({"method": "bi-real"}, "unknown method 'bi-real'. Did you mean bi_real"),
        ({"augment": "yes"}, "recipe: data.augment: Input should be a valid boolean (got 'yes')"),
    ],
)
def test_mistakes_are_named(fields, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        Recipe.make(**{"zoo": "resnet20", "epochs": 9, **fields})


def test_fields_have_a_path_and_most_a_short_name():
    paths = {"data.batch_size": 8, "optimizer": "sgd", "schedule": {"name": "constant"}, "runtime.seed": 3}
    short = {"batch_size": 8, "optimizer": "sgd", "schedule": "constant", "seed": 3}
    assert Recipe.of_zoo("resnet20", **paths) == Recipe.of_zoo("resnet20", **short)


def test_another_choice_drops_the_fields_that_it_lacks(tmp_path):
    recipe = Recipe.make(zoo="resnet20", epochs=9, method="ir_net", **{"method.t_max": 5.0, "method.clip": 1.5})
    recipe.write(tmp_path / "recipe.toml")
    other = Recipe.read(tmp_path / "recipe.toml", method="bnn")
    assert other.nested()["method"] == {"name": "bnn", "clip": 1.5, "float_start": 0.0, "float_kernels": 0.0}


def test_bop_is_an_option_of_the_method_and_was_an_optimizer(tmp_path):
    recipe = Recipe.make(zoo="resnet20", epochs=9, optimizer="bop", bop_gamma=0.5)
    assert recipe == Recipe.make(zoo="resnet20", epochs=9, **{"method.bop.gamma": 0.5})
    recipe.write(tmp_path / "recipe.toml")
    assert Recipe.read(tmp_path / "recipe.toml") == recipe
    assert Recipe.read(tmp_path / "recipe.toml", optimizer="adam").method.bop is None
    assert Recipe.read(tmp_path / "recipe.toml", bop_threshold=1e-3).nested()["method"]["bop"] == {
        "threshold": 1e-3,
        "gamma": 0.5,
    }


FLAT = FIXTURES / "version_1" / "recipes"


@pytest.mark.parametrize("name", sorted({path.stem for path in FLAT.glob("*.toml")} & set(zoo.names())))
def test_a_flat_recipe_of_version_1_is_the_one_of_today(name):
    # Larq Zoo's network has activations of two bits, which version 1 did not know.
    since = {"method.input_bits": 1} if name == "dorefa_net" else {}
    assert Recipe.read(FLAT / f"{name}.toml") == Recipe.of_zoo(name, **since)


def test_every_field_of_version_1_has_its_place():
    bop = Recipe.read(FLAT / "bop_all_fields.toml")
    assert bop.nested() == {
        "schema_version": 2,
        "zoo": "binary_lenet",
        "network": {"width": 1.0, "order": "pool_norm"},
        "epochs": 9,
        "task": {"name": "classification", "label_smoothing": 0.1},
        "method": {
            "name": "bi_real",
            "clip": 1.0,
            "float_start": 0.0,
            "float_kernels": 0.0,
            "bop": {"threshold": 1e-7, "gamma": 1e-3},
        },
        "data": {"name": "mnist", "augment": False, "validation_fraction": 0.1, "batch_size": 32},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "cosine", "warmup_epochs": 1.5},
        "runtime": {"seed": 5, "flip_ratio": False, "strategy": "none", "jit": False},
    }
    step = Recipe.read(FLAT / "step_all_fields.toml")
    assert step.method == methods.create("dorefa", clip=1.25)
    assert (step.data.name, step.data.image_size) == ("image_folder:/data/photos", 48)
    assert step.nested()["schedule"] == {"name": "step", "warmup_epochs": 0.0, "epochs": [3, 6], "factor": 0.5}
    assert step.runtime.strategy == "mirrored"
    assert Recipe.read(FLAT / "constant.toml").nested()["schedule"] == {"name": "constant", "warmup_epochs": 0.0}


def test_a_recipe_of_a_later_version_is_named(tmp_path):
    (tmp_path / "recipe.toml").write_text('schema_version = 3\nzoo = "resnet20"\nepochs = 1\n')
    with pytest.raises(MobileBnnError, match=r"recipe.toml is a recipe of version 3: this mobile_bnn reads versions 1"):
        Recipe.read(tmp_path / "recipe.toml")


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
