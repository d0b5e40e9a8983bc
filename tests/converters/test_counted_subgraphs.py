"""Binary layers in loops and branches are counted, exported, timed and shown like those of the main graph."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import converters, pipeline
from mobile_bnn.cli.main import app
from mobile_bnn.converters.linting import lint
from mobile_bnn.converters.storage.weights_file import collect_weights, read_weights, write_weights
from mobile_bnn.legacy_keras import tf
from mobile_bnn.profiling import jobs_for
from mobile_bnn.profiling import profile as measure
from mobile_bnn.report import operator_times as times_shown
from mobile_bnn.report import write_html
from mobile_bnn.report.figures import ONCE
from mobile_bnn.report.tables import operators as shown
from mobile_bnn.run_folder import ModelFile
from mobile_bnn.runtime import Interpreter, operator_table, pack, read_metadata, read_model
from mobile_bnn.runtime.subgraphs import reached_subgraphs
from mobile_bnn.typing import KerasModel
from tests.converters.test_control_flow import MODELS

pytestmark = pytest.mark.filterwarnings("ignore")
STEPS = 8
IN, UNITS = 32, 64  # of the recurrent cell, whose two products run in every step


def make(name: str, folder: Path) -> tuple[KerasModel, Path]:
    tf.keras.utils.set_random_seed(1)
    model, path = MODELS[name][0](), folder / f"{name.replace(' ', '_')}.tflite"
    converters.convert(model, path)
    return model, path


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> tuple[KerasModel, Path]:
    return make("binary rnn", tmp_path_factory.mktemp("recurrent"))


@pytest.fixture(scope="module")
def either(tmp_path_factory: pytest.TempPathFactory) -> tuple[KerasModel, Path]:
    return make("cond", tmp_path_factory.mktemp("either"))


def test_a_step_of_a_loop_is_counted(recurrent: tuple[KerasModel, Path]) -> None:
    _, path = recurrent
    table = operator_table(path)
    bconvs = [row for row in table.operators if row.name == "LceBconv2d"]
    assert [(row.subgraph, row.binary_macs) for row in bconvs] == [(2, UNITS * UNITS), (2, IN * UNITS)]
    (loop,) = [row.index for row in table.operators if row.name == "WHILE"]
    assert {row.called_as for row in bconvs} == {f"body of WHILE {loop}, per step"}
    assert {row.called_as for row in table.operators if row.subgraph == 1} == {f"condition of WHILE {loop}, per step"}
    assert {row.called_as for row in table.operators if row.subgraph == 0} == {""}
    assert table.total("binary_macs") == (IN + UNITS) * UNITS
    assert table.total("weight_bytes") > (IN + UNITS) * UNITS // 8
    metadata = read_metadata(path)
    assert metadata is not None
    assert metadata.binary_macs == table.total("binary_macs")


def test_both_branches_are_counted(either: tuple[KerasModel, Path]) -> None:
    _, path = either
    rows = [row for row in operator_table(path).operators if row.name == "LceBconv2d"]
    assert [(row.subgraph, row.binary_macs) for row in rows] == [(1, 32 * 16), (2, 32 * 16)]
    assert [row.called_as.split(" of ")[0] for row in rows] == ["else branch", "then branch"]
    assert all(row.called_as.endswith(", if taken") for row in rows)


def test_what_no_inference_runs_is_not_counted(recurrent: tuple[KerasModel, Path]) -> None:
    """Such as the graph of a further signature."""
    model = read_model(recurrent[1])
    model.subgraphs.append(read_model(recurrent[1]).subgraphs[2])
    assert list(reached_subgraphs(model)) == [0, 1, 2]
    assert operator_table(pack(model)).operators == operator_table(recurrent[1]).operators


def test_a_subgraph_that_is_not_there_is_passed_over(recurrent: tuple[KerasModel, Path]) -> None:
    model = read_model(recurrent[1])
    for operator in model.subgraphs[0].operators:
        if hasattr(operator.builtinOptions, "bodySubgraphIndex"):
            operator.builtinOptions.bodySubgraphIndex = 77
    assert {row.subgraph for row in operator_table(pack(model)).operators} == {0, 1}


def test_a_table_says_whose_an_operator_is(recurrent: tuple[KerasModel, Path], float_tflite: Path) -> None:
    table = shown(operator_table(recurrent[1]))
    at = [column.header for column in table.columns].index("in")
    (row,) = [row for row in table.rows if row[0] == "2:4"]
    assert row[1] == "LceBconv2d"
    assert row[at].startswith("body of WHILE ")
    assert table.caption.endswith(ONCE)
    assert len({len(each) for each in (*table.rows, table.totals, table.columns)}) == 1
    assert "in" not in [column.header for column in shown(operator_table(float_tflite)).columns]


def test_lint_says_which_subgraph(recurrent: tuple[KerasModel, Path], tmp_path: Path) -> None:
    model, _ = recurrent
    assert {finding.subgraph for finding in lint(model) if finding.declared == "binary"} == {2}
    source = tmp_path / "loop.tflite"
    source.write_bytes(converters.Source.of(model).model.write())
    told = CliRunner().invoke(app, ["lint", str(source)], env={"COLUMNS": "200"})
    assert "subgraph 2" in told.output, told.output
    answer = json.loads(CliRunner().invoke(app, ["lint", str(source), "--json"]).output)
    assert [each["subgraph"] for each in answer["layers"] if each["converted_to"] == "binary"] == [2, 2]


def test_weights_of_a_loop_are_exported(recurrent: tuple[KerasModel, Path], tmp_path: Path) -> None:
    model, path = recurrent
    write_weights(tmp_path / "weights.npz", collect_weights(path))
    weights = read_weights(tmp_path / "weights.npz")
    assert [layer.name for layer in weights.index.layers] == ["subgraph_2/recurrent", "subgraph_2/forward"]
    cell = model.layers[1].cell
    for stored, layer in zip(weights.index.layers, (cell.recurrent, cell.forward), strict=True):
        assert (stored.subgraph, stored.layer) == (2, layer.name)
        assert set(stored.arrays["filter"].key.split("/")[:2]) == {"subgraph_2", layer.name}
        signs = np.where(layer.get_weights()[0] < 0, -1, 1).T
        np.testing.assert_array_equal(weights.signs(stored)[:, 0, 0], signs)


def test_operators_of_a_loop_are_timed_with_all_their_steps(recurrent: tuple[KerasModel, Path]) -> None:
    _, path = recurrent
    rows = {(row.subgraph, row.index): row for row in operator_table(path).operators}
    x = np.random.default_rng(0).normal(size=(1, STEPS, IN)).astype(np.float32)
    with Interpreter(path) as interpreter:
        before = interpreter.predict(x)
        times = interpreter.profile(x, runs=5)
        np.testing.assert_array_equal(interpreter.predict(x), before)
    assert [time.name for time in times] == ["LceQuantize", "LceBconv2d"] * 2
    assert {time.calls for time in times} == {STEPS}
    assert all(rows[time.subgraph, time.operator].layer == time.layer for time in times)
    assert sum(time.share for time in times) == pytest.approx(1)


@pytest.mark.parametrize("taken", [0, 1])
def test_only_the_branch_that_is_taken_is_timed(taken: int, either: tuple[KerasModel, Path]) -> None:
    rows = {row.subgraph: row.called_as for row in operator_table(either[1]).operators}
    with Interpreter(either[1]) as interpreter:
        times = interpreter.profile(np.full((1, 32), 1.0 if taken else -1.0, np.float32), runs=3)
    assert {rows[time.subgraph].split()[0] for time in times} == {"then" if taken else "else"}


def test_both_loops_of_a_net_are_told_apart(tmp_path: Path) -> None:
    _, path = make("bidirectional", tmp_path)
    with Interpreter(path) as interpreter:
        times = interpreter.profile(np.zeros((1, STEPS, IN), np.float32), runs=2)
    assert [(time.subgraph, time.name) for time in times if time.name == "LceBconv2d"] == [
        *[(2, "LceBconv2d")] * 2,
        *[(4, "LceBconv2d")] * 2,
    ]


def test_a_worker_measures_a_file_with_a_loop(recurrent: tuple[KerasModel, Path]) -> None:
    (measured,) = measure(jobs_for(recurrent[1], ["delegate"]), runs=5, threads=[1]).measurements
    assert measured.median_ms > 0
    ours = [each for each in measured.operator_times if each.runs_in == "delegate"]
    assert {(each.subgraph, each.calls) for each in ours} == {(2, STEPS)}
    assert {each.calls for each in measured.operator_times if each.subgraph == 1} == {STEPS + 1}  # the condition
    _, each, *_ = times_shown.tables(measured, "local")
    names = [row[:2] for row in each.rows]
    for row in (["2:2", "LceQuantize ×8"], ["2:4", "LceBconv2d ×8"]):
        assert row in names


def test_a_file_that_is_binary_in_a_loop_alone_is_profiled_and_reported(
    recurrent: tuple[KerasModel, Path], tmp_path: Path
) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(recurrent[1].read_bytes())
    record = pipeline.profile(path, runs=5, threads=[1]).record
    assert "delegate" in {each.engine for each in record.measurements}
    write_html(ModelFile(path), tmp_path / "net.html")
    page = (tmp_path / "net.html").read_text(encoding="utf-8")
    assert "#2:4" in page
    assert "LceBconv2d ×8" in page
    assert ONCE in page
