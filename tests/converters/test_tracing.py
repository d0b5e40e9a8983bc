"""`mbnn lint --trace` and `--explain`: why rules did not apply near a layer, and what a code means."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.converters.explanations import EXPLANATIONS
from mobile_bnn.converters.linting import lint
from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.converters.source import Source
from mobile_bnn.converters.tracing import explain, trace
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf

sys.path.append(str(Path(__file__).parents[2] / "tools" / "json_docs"))

from json_outputs import Lint

REACTNET = Path(__file__).parent / "pytorch" / "reactnet.tflite"
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
layers = tf.keras.layers


def shared_norm() -> Any:
    """A convolution whose result is read by two operators, one whose batch norm is fused, and a float one."""
    tf.keras.utils.set_random_seed(1)
    image = layers.Input((8, 8, 32))
    conv = larq.layers.QuantConv2D(32, 3, name="shared", **SIGN)(image)
    x = layers.BatchNormalization(beta_initializer="ones", name="norm")(conv)
    x = larq.layers.QuantConv2D(32, 3, name="fused", **SIGN)(x)
    x = layers.BatchNormalization(beta_initializer="ones", name="fused_norm")(x)
    head = layers.Softmax()(layers.Conv2D(4, 1, name="head")(x))
    return tf.keras.Model(image, [head, layers.GlobalAveragePooling2D()(conv)])


def test_a_trace_tells_why_a_batch_norm_was_not_fused() -> None:
    source = Source.of_keras(shared_norm())
    rows = [row for row in trace(source, "shared") if row.rule == "fuse_affine"]
    assert [(row.op_type, row.code, row.why) for row in rows] == [
        ("LceBconv2d", RefusalCode.SHARED_RESULT, "2 operators read the result of LceBconv2d")
    ]
    rows = [row for row in trace(source, "fused") if row.rule == "fuse_affine"]
    assert [(row.code, row.why) for row in rows] == [
        (RefusalCode.PATTERN_ABSENT, "CONV_2D after it is not an affine map")  # after the norm, which is gone
    ]


def test_a_trace_tells_of_a_float_layer_why_it_is_not_binary() -> None:
    source = Source.of_keras(shared_norm())
    (head,) = (row.layer for row in lint(source) if "head" in row.layer)
    found = trace(source, head)
    assert ("convolution", RefusalCode.FILTER_NOT_FEW_VALUED) in [(row.rule, row.code) for row in found]
    assert all(row.why for row in found)


def test_a_trace_stays_near_its_layer() -> None:
    """A residual network has no linear operator between its first and its last sum."""
    layer = "Sequential_blocks/Half_1/BinaryConv2d_0"
    found = trace(REACTNET, layer)
    assert {row.computes for row in found if row.op_type == "LceBconv2d"} == {layer}
    assert not any("Half_3" in row.computes for row in found)


def test_unknown_names_are_told_in_one_line_with_the_nearest_ones() -> None:
    with pytest.raises(UsageError, match="unknown layer 'heads'"):
        trace(Source.of_keras(shared_norm()), "heads")
    for arguments, text in (
        ([str(REACTNET), "--trace", "Sequential_stem/Conv2d_1"], "unknown layer 'Sequential_stem/Conv2d_1'. Did you"),
        (["--explain", "shared-results"], "unknown refusal code 'shared-results'. Did you mean shared-result"),
        ([], "there is no model to lint. mbnn lint MODEL"),
    ):
        ended = CliRunner().invoke(app, ["lint", *arguments])
        assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
        assert ended.stderr.startswith(f"error: {text}")


@pytest.mark.parametrize("code", RefusalCode)
def test_every_code_is_explained(code: RefusalCode) -> None:
    told = EXPLANATIONS[code]
    assert explain(code.value) is told
    printed = CliRunner().invoke(app, ["lint", "--explain", code.value])
    assert printed.exit_code == 0
    words = printed.stdout.split()
    assert words[:2] == ["code:", code.value]
    for text in (told.meaning, told.why, told.cure.format(layer="LAYER")):
        assert " ".join(text.split()) in " ".join(words)


def test_what_is_printed_for_machines_has_the_documented_keys() -> None:
    layer = "Sequential_blocks/Half_1/BinaryConv2d_0"
    traced = CliRunner().invoke(app, ["lint", str(REACTNET), "--trace", layer, "--json"])
    found = Lint.model_validate(json.loads(traced.stdout))
    assert [each.layer for each in found.layers] == [layer]
    assert [each.model_dump(mode="json") for each in found.trace] == [
        {**vars(row), "code": row.code.value} for row in trace(REACTNET, layer)
    ]
    told = CliRunner().invoke(app, ["lint", "--explain", "no-gain", "--json"])
    explanation = Lint.model_validate(json.loads(told.stdout)).explanation
    assert explanation is not None
    assert explanation.code is RefusalCode.NO_GAIN


def test_the_terminal_shows_the_trace() -> None:
    ended = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["lint", str(REACTNET), "--trace", "Sequential_stem/Conv2d_0"]
    )
    assert ended.exit_code == 0
    assert "why it did not apply" in ended.stdout
    assert "input-not-quantized" in ended.stdout or "filter-not-few-valued" in ended.stdout
