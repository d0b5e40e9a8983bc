"""Trainings that begin with the weights of another one."""

from io import StringIO

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.training import Recipe, train
from mobile_bnn.training.initial_weights import located
from mobile_bnn.zoo.trained.named_weights import weights_of


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run of one epoch, with a method and a width that are not the recipe's own."""
    run = tmp_path_factory.mktemp("first") / "run"
    recipe = Recipe.of_zoo("binary_lenet", method="bi_real", epochs=1, label_smoothing=0.125, **{"network.width": 0.5})
    model, _ = train(recipe, run)
    return run, model


def test_a_training_begins_with_them(first, tmp_path):
    run, trained = first
    recipe = Recipe.of_zoo("binary_lenet", weights=str(run), epochs=1, learning_rate=1e-12)
    assert (recipe.method.card.name, recipe.network.width, recipe.task.label_smoothing) == ("bi_real", 0.5, 0.125)
    model, _ = train(recipe, tmp_path / "run")
    before, after = weights_of(trained), weights_of(model)
    assert set(before) == set(after)
    for name, value in after.items():
        if "moving" not in name:
            np.testing.assert_allclose(value, before[name], atol=1e-7, err_msg=name)
    fresh, _ = train(Recipe.of_zoo("binary_lenet", method="bi_real", epochs=1), tmp_path / "fresh")
    assert not np.allclose(weights_of(fresh)["conv3/kernel"].mean(), before["conv3/kernel"].mean(), atol=1e-7)


def test_another_number_of_classes_begins_at_random(tmp_path):
    def recipe(classes, **fields):
        folder = f"image_folder:{images_of(classes, tmp_path / str(classes))}"
        return Recipe.of_zoo("binary_lenet", dataset=folder, image_size=8, epochs=1, **fields)

    trained, _ = train(recipe(4), tmp_path / "first")
    console = Console(file=StringIO(), width=1000)
    own = recipe(3, weights=str(tmp_path / "first"), learning_rate=1e-12)
    model, _ = train(own, tmp_path / "run", console=console)
    said = f"begins with the weights of {tmp_path / 'first'}, dense2, norm5 at random"
    assert said in console.file.getvalue().splitlines()
    assert (trained.output_shape, model.output_shape) == ((None, 4), (None, 3))
    np.testing.assert_allclose(model.get_layer("dense1").kernel, trained.get_layer("dense1").kernel, atol=1e-7)


def test_a_resumed_training_does_not_begin_again(first, tmp_path):
    run, _ = first
    whole, half = tmp_path / "whole", tmp_path / "half"
    recipe = Recipe.of_zoo("binary_lenet", weights=str(run), epochs=2, schedule="constant")
    unbroken, _ = train(recipe, whole)
    train(recipe.model_copy(update={"epochs": 1}), half)
    resumed, _ = train(recipe, half, resume=True)
    for one, other in zip(unbroken.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_recipes_keep_them_with_an_absolute_path(first, tmp_path, monkeypatch):
    run, _ = first
    monkeypatch.chdir(run.parent)
    train(Recipe.of_zoo("binary_lenet", weights="run/", epochs=1), tmp_path / "run")
    assert Recipe.read(tmp_path / "run" / "recipe.toml").weights == str(run)


def test_a_tag_is_not_taken_for_a_folder_of_its_name(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert located("digits", "binary_lenet") == "digits"
    assert located("digits", "xnornet") == located("./digits", "binary_lenet") == str(tmp_path / "digits")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"network.width": 1.0}, "do not fit binary_lenet: conv1/kernel is 3x3x1x32, theirs 3x3x1x16, and "),
        ({"method": "full_precision", "network.order": "norm_pool", "zoo": "resnet20"}, "are of binary_lenet, not of"),
        ({"weights": "nothing/there"}, "there is no file nothing/there. Name a run folder, a .keras file, or a tag of"),
        ({"weights": "."}, ". holds no trained model. Name a run folder"),
        ({"weights": "no_such_tag"}, "binary_lenet"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(first, tmp_path, fields, message):
    run, _ = first
    given = {"weights": str(run), "epochs": 1, **fields}
    with pytest.raises(UsageError) as refused:
        train(Recipe.of_zoo(given.pop("zoo", "binary_lenet"), **given), tmp_path / "run")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_a_damaged_file_is_refused_in_one_line(tmp_path):
    file = tmp_path / "damaged.keras"
    file.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(MobileBnnError, match=r"damaged\.keras cannot be read as a Keras model: ") as refused:
        train(Recipe.of_zoo("binary_lenet", weights=str(file), epochs=1), tmp_path / "run")
    assert "\n" not in str(refused.value)


def test_other_layers_are_refused(first, tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(8,), name="mine")])
    model.save(tmp_path / "mine.keras")
    with pytest.raises(UsageError, match="do not fit binary_lenet: it has no layer mine, and "):
        train(Recipe.of_zoo("binary_lenet", weights=str(tmp_path / "mine.keras"), epochs=1), tmp_path / "run")


def images_of(classes, folder):
    """A folder of random images of 8x8 in as many classes."""
    generator = np.random.default_rng(0)
    for label in range(classes):
        (folder / f"class{label}").mkdir(parents=True)
        for index in range(12):
            pixels = generator.integers(0, 255, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"class{label}" / f"{index}.png")
    return folder
