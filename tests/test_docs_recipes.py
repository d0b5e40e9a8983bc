"""The code and the recipe of docs/recipes.md work as they stand there."""

import re
from pathlib import Path

import pytest

from mobile_bnn import methods, zoo
from mobile_bnn.training import Recipe
from tests.support.registries import forget_registrations

PAGE = (Path(__file__).parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_recipe_is_one(tmp_path):
    (tmp_path / "recipe.toml").write_text(blocks("toml")[0], encoding="utf-8")
    recipe = Recipe.read(tmp_path / "recipe.toml")
    assert (recipe.method.card.name, recipe.method.t_max) == ("ir_net", 10.0)
    assert (recipe.optimizer.choice, recipe.teacher.choice, recipe.runtime.seed) == ("sgd", "float_twin", 1)


@pytest.fixture
def _forgotten(monkeypatch):
    """What the page registers is known for one test alone."""
    forget_registrations(monkeypatch)


@pytest.mark.usefixtures("_forgotten")
def test_the_method_and_the_network_fit_each_other():
    for code in blocks("python"):
        exec(compile(code, "docs/recipes.md", "exec"), {"__name__": "docs_recipes"})
    assert methods.create("clipped", bound=0.5).bound == 0.5
    model = zoo.build("tiny", "clipped", (8, 8, 3), 4)
    assert model.output_shape == (None, 4)
    assert model.get_layer("conv2").kernel_quantizer.clip_value == 1.0
