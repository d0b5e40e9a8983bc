"""The pipeline as a Python user has it: what docs/runs.md shows, results that print themselves, and its refusals."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import pipeline
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.pipeline.results import keep
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import Operators, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import pack, read_metadata, read_model
from tests.support.tools import ROOT


def test_what_the_page_shows_runs(small_run: Path, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "runs.md").read_text(encoding="utf-8"), re.DOTALL)
    run = RunFolder(shutil.copytree(small_run, tmp_path / "runs" / "demo"))
    for record in (run.verification, run.operators, run.profile()):
        record.unlink()
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    for part in ("runs/demo/model.tflite", "LceBconv2d", "agreement 1.0", "litert · xnnpack · float", "page demo.html"):
        assert part in ended.stdout
    assert Verification.load(run.verification).samples == 360
    assert {each.engine for each in Profile.load(run.profile()).measurements} == {"delegate", "litert"}
    assert Operators.load(run.operators).operators
    assert (tmp_path / "demo.html").is_file()


def test_importing_it_loads_no_tensorflow() -> None:
    names = " ".join(f"pipeline.{name};" for name in pipeline.__all__)
    code = f"import sys; from mobile_bnn import pipeline; {names} assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_file_of_one_s_own(binary_tflite: Path, tmp_path: Path) -> None:
    """Paths are strings, and the record lies beside the file."""
    path = shutil.copy(binary_tflite, tmp_path / "my.tflite")
    profiled = pipeline.profile(str(path), engines=["delegate"], threads=[1], runs=3, warmup=0)
    assert profiled.kept.path == tmp_path / "my_profiles" / "local.json"
    assert Profile.load(profiled.kept.path) == profiled.record
    shown, page = str(profiled), profiled._repr_html_()
    for part in ("delegate", "Latency, batch 1, 3 runs each", profiled.record.machine.cpu):
        assert part in shown
        assert part in page
    assert page.startswith("<pre")
    found = pipeline.report(str(path))
    assert str(profiled.record.measurements[0].threads) in str(found)
    assert found.as_json()["latency"][0]["runs"] == 3
    assert found.write() == tmp_path / "my_report.html"


def test_names_in_a_notebook_are_only_text(recorded: Profile) -> None:
    from mobile_bnn.pipeline.measurement import Profiled
    from mobile_bnn.pipeline.results import Kept

    hostile = recorded.model_copy(update={"target": "<b>[red]x"})
    page = Profiled(hostile, Kept())._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;[red]x" in page
    assert "<b>[red]x" in str(Profiled(hostile, Kept()))


@pytest.fixture
def recorded(small_run: Path) -> Profile:
    return Profile.load(RunFolder(small_run).profile())


def test_a_verification_gives_a_copy_with_the_accuracy(small_run: Path, tmp_path: Path) -> None:
    run = RunFolder(shutil.copytree(small_run, tmp_path / "run"))
    verified = pipeline.verify(run, limit=64)
    verified.write(tmp_path / "to_ship.tflite")
    metadata = read_metadata(tmp_path / "to_ship.tflite")
    assert metadata is not None
    assert metadata.accuracy is not None
    assert metadata.accuracy.metrics == verified.record.metrics
    before = read_metadata(run.tflite)
    assert before is not None
    assert before.reference is not None
    assert metadata.reference == before.reference
    model = read_model(run.tflite)
    model.metadata = []
    for content, message in (
        (run.float_tflite.read_bytes(), r"model\.tflite has changed since it was verified"),
        (pack(model), r"model\.tflite has no metadata: mobile_bnn did not write it"),
    ):
        run.tflite.write_bytes(content)
        with pytest.raises(MobileBnnError, match=message):
            verified.write(tmp_path / "other.tflite")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_type": "int8"}, "--input-type and --output-type are for --int8"),
        ({"int8": True, "float_weights": "int8"}, "--int8 stores weights in int8. Leave --float-weights out"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        pipeline.ConvertOptions(**options)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path) -> None:
    samples = tmp_path / "none.npy"
    for call, message in (
        (lambda: pipeline.convert("m.keras", output="m.txt"), "m.txt does not end in .tflite"),
        (lambda: pipeline.convert("m.keras", samples=samples), f"there is no file of samples {samples}"),
        (lambda: pipeline.verify("m.tflite"), "there is no .tflite file m.tflite"),
        (lambda: pipeline.profile("m.tflite", target="locl"), "unknown target 'locl'. Did you mean local?"),
        (lambda: pipeline.report("nowhere"), "there is no run folder nowhere. mbnn train makes one"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value).startswith(message)


def test_python_warns_of_an_engine_that_is_left_out(tmp_path: Path, float_tflite: Path) -> None:
    import larq_compute_engine as lce

    from mobile_bnn.legacy_keras import larq, tf

    layer = larq.layers.QuantConv2D(64, 3, groups=2, input_quantizer="ste_sign", kernel_quantizer="ste_sign")
    path = tmp_path / "grouped.tflite"
    path.write_bytes(lce.convert_keras_model(tf.keras.Sequential([tf.keras.layers.Input((6, 6, 64)), layer])))
    with pytest.warns(UserWarning, match=r"left out: grouped\.tflite with lce \(bgemm\), 1 thread: .*refuses the file"):
        profiled = pipeline.profile(path, threads=[1], runs=2, warmup=0)
    assert [each.engine for each in profiled.record.measurements] == ["delegate", "lce"]


def test_a_record_that_cannot_be_written_is_told() -> None:
    kept = keep(lambda path: path.write_text("x"), Path("/proc/nothing/here.json"))
    assert (kept.path, kept.not_kept) == (None, "No such file or directory: /proc/nothing/here.json")


def test_samples_are_what_a_model_is_compared_on(tiny_model: object, tmp_path: Path) -> None:
    tiny_model.save(tmp_path / "m.keras")  # type: ignore[attr-defined]
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(4, 8, 8, 32)).astype(np.float32))
    converted = pipeline.convert(tmp_path / "m.keras", samples=str(tmp_path / "a.npy"))
    assert converted.path == tmp_path / "m.tflite"
    assert (tmp_path / "m_float.tflite").is_file()
    assert "binary layers: 2" in str(converted)
    assert "LceBconv2d" in converted._repr_html_()
