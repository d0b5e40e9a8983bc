"""Reasons have codes: what is done about them does not hang on their words, and the words may change."""

import ast
import copy
import json
import pickle
import re
import sys
from pathlib import Path

import pytest
from float_files import to_float
from typer.testing import CliRunner

from mobile_bnn import converters
from mobile_bnn.cli.main import app
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.refusals import NoMatch, Refusal, RefusalCode
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasModel, KerasTensor

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools" / "refusal_docs"))

import refusal_page  # noqa: E402

SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
layers = tf.keras.layers


def grid(x: KerasTensor) -> KerasTensor:
    """Too many values for a sum of signs, also of weights."""
    return tf.round(x * 100) / 100


def model_of_all_cures() -> KerasModel:
    """A layer for each cure, and one that is binary."""
    tf.keras.utils.set_random_seed(1)
    image = layers.Input((9, 9, 32))
    x = larq.layers.QuantConv2D(32, 3, name="binary", **SIGN)(image)
    x = larq.layers.QuantConv2D(32, 3, name="no_quantizer", **{**SIGN, "input_quantizer": tf.nn.tanh})(x)
    x = larq.layers.QuantConv2D(32, 3, name="many_values", **{**SIGN, "kernel_quantizer": grid})(x)
    x = layers.Reshape((3, 3, 32, 1))(x)
    x = larq.layers.QuantConv3D(4, 3, name="volume", **SIGN)(x)
    x = layers.Reshape((1, 30, 4))(x)
    x = larq.layers.QuantConv2D(8, 1, name="half", kernel_quantizer="ste_sign", kernel_constraint="weight_clip")(x)
    return tf.keras.Model(image, layers.Conv2D(4, 1, name="head")(x))


CURES = {
    "binary": (None, ""),
    "no_quantizer": (
        "input-not-quantized",
        "give it an input_quantizer that is such a function, as ste_sign is, with nothing in between, "
        "or leave it float: --allow-float no_quantizer",
    ),
    "many_values": (
        "filter-not-few-valued",
        "give it a kernel_quantizer of few values, such as ste_sign, or leave it float: --allow-float many_values",
    ),
    "volume": (
        "operator-unsupported",
        "use a two-dimensional convolution or a dense layer instead, or leave it float: --allow-float volume",
    ),
    "half": ("input-not-quantized", ""),  # which is declared float
}


def found(model: KerasModel) -> dict[str, tuple[str | None, str]]:
    rows = {row.layer: row for row in converters.lint(model)}
    return {name: (rows[name].code and rows[name].code.value, rows[name].cure) for name in CURES}


def test_each_reason_has_its_code_and_its_cure() -> None:
    assert found(model_of_all_cures()) == CURES


def test_with_other_words_everything_stays_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def reworded(self: Refusal, code: RefusalCode, text: str) -> None:
        vars(self).update(code=code, text="sous d'autres mots")

    monkeypatch.setattr(Refusal, "__init__", reworded)
    model = model_of_all_cures()
    assert found(model) == CURES
    assert {row.why for row in converters.lint(model) if row.code} == {"sous d'autres mots"}
    with pytest.raises(MobileBnnError, match=r"no_quantizer is declared binary .* float .*: sous d'autres mots"):
        converters.convert(model, tmp_path / "m.tflite")
    half = larq.layers.QuantConv2D(4, 3, kernel_quantizer="ste_sign", kernel_constraint="weight_clip", name="half")
    with pytest.raises(MobileBnnError, match="and a quantized input; half only quantized weights"):
        converters.convert(tf.keras.Sequential([layers.Input((8, 8, 3)), half]), tmp_path / "m.tflite")


TEXTS = {"reason", "why", "refusal", "what", "cure"}
SEARCHES = {"startswith", "endswith", "find", "index", "count", "split", "partition"}


def asks_for_words(node: ast.AST) -> bool:
    """Whether code looks into one of our texts: `"words" in layer.reason`, `error.why.startswith("words")`."""

    def is_text(part: ast.AST) -> bool:
        return getattr(part, "id", getattr(part, "attr", "")) in TEXTS

    if isinstance(node, ast.Compare):
        return any(isinstance(op, ast.In | ast.NotIn | ast.Eq) for op in node.ops) and any(
            map(is_text, node.comparators)
        )
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in SEARCHES and is_text(called.value)


def test_no_code_looks_for_words_in_a_reason() -> None:
    found = []
    for folder in ("converters", "mobile_bnn"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [f"{path.name}: {ast.unparse(node)}" for node in ast.walk(tree) if asks_for_words(node)]
    assert found == ["source.py: error.why.partition('. ')"]  # which cuts LiteRT's words, and asks nothing


@pytest.mark.parametrize(
    "code", ["'input' in layer.reason", "WORDS not in reason", "x.why.startswith('layer ')", "'grid' == refusal"]
)
def test_the_search_for_such_code_finds_it(code: str) -> None:
    assert any(map(asks_for_words, ast.walk(ast.parse(code))))


def test_lint_prints_codes_for_machines(tmp_path: Path) -> None:
    volume = larq.layers.QuantConv3D(4, 3, name="volume", **SIGN)
    conv = larq.layers.QuantConv2D(32, 3, name="conv", **SIGN)
    stack = [layers.Input((8, 8, 32)), conv, layers.Reshape((6, 6, 32, 1)), volume]
    tf.keras.Sequential(stack).save(tmp_path / "m.keras")
    ended = CliRunner().invoke(app, ["lint", str(tmp_path / "m.keras"), "--json"])
    assert {row["layer"]: row["code"] for row in json.loads(ended.stdout)["layers"]} == {
        "conv": None,
        "volume": "operator-unsupported",
    }


def test_the_documentation_lists_every_code_once() -> None:
    """Else run tools/refusal_docs/refusal_page.py."""
    listed = re.findall(r"^\| `([a-z-]+)` \|", refusal_page.page(), re.MULTILINE)
    assert sorted(listed) == sorted(code.value for code in RefusalCode)
    assert refusal_page.PAGE.read_text(encoding="utf-8") == refusal_page.page()


def test_operators_of_a_foreign_file_have_codes_too() -> None:
    function = lambda x, y: tf.nn.tanh(tf.matmul(larq.math.sign(x), y))  # noqa: E731
    (layer,) = lower(TfliteModel.read(to_float(function, (4, 32), (32, 8))).graphs[0]).layers
    assert layer.code is RefusalCode.FILTER_NOT_CONSTANT


def test_a_refusal_survives_a_copy_and_is_what_is_raised() -> None:
    refusal = Refusal(RefusalCode.FILTER_EMPTY, "the filter is empty")
    for same in (refusal, copy.deepcopy(refusal), pickle.loads(pickle.dumps(refusal))):
        assert (same.code, str(same)) == (RefusalCode.FILTER_EMPTY, "the filter is empty")
    assert json.loads(json.dumps(refusal.code)) == "filter-empty"
    raised = NoMatch(refusal.code, refusal.text)
    assert (raised.refusal, raised.code, str(raised)) == (refusal, refusal.code, refusal.text)


def test_what_stays_float_is_recorded_as_text(tmp_path: Path) -> None:
    from mobile_bnn.records import Operators

    volume = larq.layers.QuantConv3D(4, 3, name="volume", **SIGN)
    conv = larq.layers.QuantConv2D(32, 3, name="conv", **SIGN)
    model = tf.keras.Sequential([layers.Input((8, 8, 32)), conv, layers.Reshape((6, 6, 32, 1)), volume])
    made = converters.convert(model, tmp_path / "m.tflite", allow_float=["volume"])
    made.operators.model_copy(update={"float_layers": made.float_layers}).save(tmp_path / "operators.json")
    assert Operators.load(tmp_path / "operators.json").float_layers == {"volume": "CONV_3D has no binary form"}
