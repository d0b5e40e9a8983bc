"""`mbnn methods`, and `--import FILE` with a method of one's own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mobile_bnn import methods
from mobile_bnn.cli.main import app
from tests.support.registries import forget_registrations

OWN = """
from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Card, Method, register
from pydantic import Field


@register
class Clipped(Method):
    card = Card(
        name="clipped", title="Clipped sign", year=2026, paper="unpublished, 2026", category="naive",
        deploy_class="1", summary="the sign, whose gradient passes where |x| is at most `bound`",
    )
    bound: float = Field(1.0, gt=0, description="largest |x| that a gradient passes")

    def kernel_quantizer(self):
        return keras2.larq.quantizers.SteSign(clip_value=self.bound)

    def input_quantizer(self):
        return keras2.larq.quantizers.SteSign(clip_value=self.bound)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a method; known for one test alone."""
    forget_registrations(monkeypatch)
    path = tmp_path / "clipped_method.py"
    path.write_text(OWN)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_the_list_has_every_method() -> None:
    shown = run("methods", "list")
    assert shown.exit_code == 0, shown.output
    assert all(name in shown.stdout for name in methods.names())


def test_a_method_is_shown_with_formula_results_and_options() -> None:
    shown = run("methods", "show", "ir_net").stdout
    for part in ("CVPR 2020", "s·sign(ŵ)", "t_max", "CIFAR-10", "86.5", "class 1:"):
        assert part in shown


def test_a_typo_gets_the_nearest_name() -> None:
    refused = run("methods", "show", "birreal")
    assert refused.exit_code == 2
    assert "Did you mean bi_real" in refused.stderr


def test_a_plot_is_drawn(tmp_path: Path) -> None:
    shown = run("methods", "show", "dorefa", "--plot", tmp_path / "p.png")
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("bnn", "p.jpeg", "is not a kind of image that can be drawn. End it in .png, .svg, .pdf"),
        ("full_precision", "p.png", "full_precision quantizes nothing by itself"),
        ("bnn", "/proc/p.png", "/proc"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_line(tmp_path: Path, name: str, file: str, message: str) -> None:
    refused = run("methods", "show", name, "--plot", tmp_path / file)
    assert refused.exit_code
    assert message in refused.stderr.replace("\n", " ")
    assert not (tmp_path / file).exists()


def test_a_method_of_ones_own_is_listed_and_shown(own: Path) -> None:
    assert "clipped" in run("methods", "list", "--import", own).stdout
    found = json.loads(run("methods", "show", "clipped", "--import", own, "--json").stdout)
    assert (found["hyperparameters"]["bound"]["default"], found["checked"]) == (1.0, None)


@pytest.mark.slow
def test_a_method_of_ones_own_trains_and_converts(own: Path, tmp_path: Path) -> None:
    options = ("--zoo", "binary_lenet", "--dataset", "digits", "--epochs", "1", "--set", "method.bound=1.5")
    trained = run("train", "--method", "clipped", "--import", own, *options, "--run", tmp_path / "run")
    assert trained.exit_code == 0, trained.output
    for command in ("convert", "verify"):
        done = run(command, tmp_path / "run", "--import", own)
        assert done.exit_code == 0, done.output


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused = run("methods", "list", "--import", tmp_path / "no.py")
    assert refused.exit_code == 2
    assert "there is no Python file" in refused.stderr
