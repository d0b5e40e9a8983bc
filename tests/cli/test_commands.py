"""The command line: what each sub-command prints, as tables and as JSON, and how every mistake ends."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import Operators, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import Reference, default_isa, kernel_name, read_metadata, with_metadata

RUNNER = CliRunner()


def mbnn(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments])


def answer(*arguments):
    result = mbnn(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder in which every stage has run, in the order of the demo."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    result = mbnn("train", "--zoo", "binary_lenet", "--epochs", 8, "--batch-size", 64, "--run", folder)
    assert result.exit_code == 0, result.stderr
    assert "test accuracy " in result.stdout
    assert f"next: mbnn convert {folder}" in result.stdout
    assert "epoch 8/8" in result.stderr
    return folder


@pytest.fixture(scope="module")
def converted(run):
    result = mbnn("convert", run)
    assert result.exit_code == 0, result.stderr
    assert "binary layers: 4" in result.stdout
    assert "stays float" not in result.stdout
    return run


@pytest.fixture(scope="module")
def float_head(tmp_path_factory):
    """A Keras model with one layer that can be binary, and one that cannot."""
    from mobile_bnn.legacy_keras import larq, tf

    sign = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    stack = [
        tf.keras.layers.Input((8, 8, 32)),
        larq.layers.QuantConv2D(32, 3, name="conv", **sign),
        tf.keras.layers.Reshape((6, 6, 32, 1)),
        larq.layers.QuantConv3D(4, 3, name="volume", **sign),
    ]
    path = tmp_path_factory.mktemp("models") / "mixed.keras"
    tf.keras.Sequential(stack).save(path)
    return path


@pytest.fixture(scope="module")
def finished(converted):
    for command in (["verify"], ["inspect"], ["profile", "--runs", 5, "--warmup", 1]):
        result = mbnn(command[0], converted, *command[1:])
        assert result.exit_code == 0, result.stderr
    return converted


@pytest.mark.slow
def test_the_file_tells_what_it_is(finished):
    metadata = read_metadata(RunFolder(finished).tflite)
    verification = Verification.load(RunFolder(finished).verification)
    assert (metadata.zoo_model, metadata.method, metadata.dataset) == ("binary_lenet", "bnn", "digits")
    assert metadata.labels == list("0123456789")
    assert metadata.normalization.mean == [127.5]
    assert metadata.accuracy is None  # verifying a file does not change it
    assert verification.samples == 360


def test_the_file_is_as_accurate_as_keras(finished):
    verification = Verification.load(RunFolder(finished).verification)
    assert verification.result.keras > 0.9
    assert abs(verification.result.keras - verification.result.tflite) <= 0.003
    assert [layer.layer for layer in verification.layers] == ["conv2", "conv3", "dense1", "dense2"]


def test_the_metadata_feeds_the_file_without_the_project(finished):
    """Pixels of 0 to 255, normalized as the record says, classified by LCE's interpreter alone."""
    import larq_compute_engine as lce
    from sklearn.datasets import load_digits

    metadata = read_metadata(RunFolder(finished).tflite)
    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images * 255 / 16).reshape(-1, 8, 8, 1)
    x = ((pixels - metadata.normalization.mean) / metadata.normalization.std).astype(np.float32)
    found = lce.testing.Interpreter(RunFolder(finished).tflite.read_bytes()).predict(x).argmax(1)
    assert np.mean(found == labels) > 0.93


def test_inspect_sets_larqs_summary_beside_the_file(finished):
    content = answer("inspect", finished)
    names = [operator["name"] for operator in content["operators"]]
    assert names.count("LceBconv2d") == 4
    assert content["larq_summary"]["larq_binary_macs"] == content["larq_summary"]["file_binary_macs"] > 0
    assert Operators.load(RunFolder(finished).operators).file_bytes == RunFolder(finished).tflite.stat().st_size
    result = mbnn("inspect", finished)
    assert "LceBconv2d" in result.stdout
    assert "Layers that stayed float" not in result.stdout
    assert "Larq's summary of the Keras model, beside the file" in result.stdout
    assert content["reference"] == {"samples": 2, "equal": True, "largest_difference": 0.0, "agreement": 1.0}
    assert "reference outputs of 2 samples: every bit as recorded" in result.stdout


def test_inspect_says_where_the_recorded_outputs_are_not_the_files(finished, tmp_path):
    flatbuffer = RunFolder(finished).tflite.read_bytes()
    metadata = read_metadata(flatbuffer)
    for outputs, told in (
        (bytes(80), "reference outputs of 2 samples: not the recorded bits: they differ by up to "),
        (bytes(8), "without its reference outputs: the reference outputs cannot be compared: "),
    ):
        changed = metadata.model_copy(update={"reference": Reference.of([outputs], 2)})
        (tmp_path / "m.tflite").write_bytes(with_metadata(flatbuffer, changed))
        result = mbnn("inspect", tmp_path / "m.tflite")
        assert told in result.stdout + result.stderr
        assert "LceBconv2d" in result.stdout
    assert answer("inspect", tmp_path / "m.tflite")["reference"] is None


def test_inspect_without_the_keras_model(finished, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    RunFolder(copy).model.unlink()
    content = answer("inspect", copy)
    assert [operator["name"] for operator in content["operators"]].count("LceBconv2d") == 4
    assert content["larq_summary"] is None


def test_profile_measures_both_kernels_and_the_float_file(finished):
    profile = Profile.load(RunFolder(finished).profile())
    found = {(m.engine, m.kernel, m.threads) for m in profile.measurements}
    assert found == {
        ("delegate", kernel_name(default_isa()), 1), ("delegate", kernel_name(default_isa()), 2),
        ("lce", "bgemm", 1), ("lce", "bgemm", 2), ("lce", "indirect_bgemm", 1), ("lce", "indirect_bgemm", 2),
        ("litert", "xnnpack", 1), ("litert", "xnnpack", 2),
    }  # fmt: skip
    assert all(len(m.latencies_ms) == 5 for m in profile.measurements)


def test_profile_of_a_file_and_one_engine(finished, tmp_path):
    path = tmp_path / "result.json"
    arguments = ["--engine", "lce:indirect_bgemm", "--threads", "1", "--runs", 3, "--output", path]
    content = answer("profile", RunFolder(finished).tflite, *arguments)
    assert [m["kernel"] for m in content["measurements"]] == ["indirect_bgemm"]
    assert Profile.load(path).measurements[0].median_ms > 0


def test_report_writes_the_page_and_prints_the_numbers(finished):
    result = mbnn("report", finished)
    assert result.exit_code == 0, result.stderr
    assert "binary_lenet" in result.stdout
    assert 50_000 < RunFolder(finished).report.stat().st_size < 500_000


def test_export_weights_of_a_run(converted):
    from mobile_bnn.converters.storage.weights_file import read_weights

    path = converted / "weights.npz"
    layers = answer("export-weights", converted)["layers"]
    assert [layer["layer"] for layer in layers] == ["conv2", "conv3", "dense1", "dense2"]
    assert [layer["kernel_size"] for layer in layers] == [[3, 3], [3, 3], [2, 2], [1, 1]]
    assert set(read_weights(path).arrays) == {array["key"] for layer in layers for array in layer["arrays"].values()}
    assert f"{path}  {path.stat().st_size:,} bytes, 4 binary layers" in mbnn("export-weights", converted).stdout
    named = converted / "model_weights.npz"  # by the file, of which there may be several in a folder
    assert f"{named}  " in mbnn("export-weights", converted / "model.tflite").stdout
    assert named.read_bytes() == path.read_bytes()


def test_verify_on_fewer_images(converted):
    assert answer("verify", converted, "--limit", 50)["samples"] == 50


def test_verify_a_file_against_a_keras_model(converted):
    run = RunFolder(converted)
    content = answer("verify", run.tflite, "--model", run.model, "--dataset", "digits", "--limit", 64)
    assert content["samples"] == 64


def test_convert_a_keras_model_from_elsewhere(run, tmp_path):
    content = answer("convert", RunFolder(run).model, "--output", tmp_path / "own.tflite", "--no-float")
    assert content["binary_layers"] == ["conv2", "conv3", "dense1", "dense2"]
    assert not content["float_layers"]
    assert [path.name for path in tmp_path.iterdir()] == ["own.tflite"]


@pytest.mark.slow
def test_convert_a_saved_model_from_within(tmp_path, monkeypatch):
    from mobile_bnn import zoo

    zoo.build("binary_lenet", "bnn", (8, 8, 1), 10).save(tmp_path / "mine", save_format="tf")
    monkeypatch.chdir(tmp_path / "mine")
    assert answer("convert", ".", "--no-float")["file"] == str(tmp_path / "mine.tflite")
    monkeypatch.chdir("variables")
    assert answer("convert", "..", "--no-float")["file"] == str(tmp_path / "mine.tflite")


def test_convert_a_model_of_two_inputs(tmp_path):
    """Its float file has two inputs too."""
    from mobile_bnn.legacy_keras import larq, tf

    inputs = [tf.keras.Input((6, 6, 32), name=name) for name in ("left", "right")]
    sign = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    outputs = [larq.layers.QuantConv2D(32, 3, **sign)(image) for image in inputs]
    tf.keras.Model(inputs, outputs[0] - outputs[1]).save(tmp_path / "two.keras")
    samples = {name: np.random.default_rng(0).normal(size=(9, 6, 6, 32)).astype(np.float32) for name in "lr"}
    np.savez(tmp_path / "samples.npz", **samples)
    content = answer("convert", tmp_path / "two.keras", "--int8", "--samples", tmp_path / "samples.npz")
    assert (len(content["binary_layers"]), content["agreement"]["samples"]) == (2, 9)
    assert len(FileRunner((tmp_path / "two_float.tflite").read_bytes()).input_shapes) == 2


def test_convert_a_float_tflite_from_elsewhere(converted, tmp_path):
    model = tmp_path / "theirs.tflite"
    model.write_bytes(RunFolder(converted).float_tflite.read_bytes())
    content = answer("convert", model)
    assert content["file"] == str(tmp_path / "theirs_binary.tflite")
    assert len(content["binary_layers"]) == 4
    result = mbnn("convert", model, "--output", model)
    assert (result.exit_code, "is the model itself" in result.stderr) == (2, True)
    result = mbnn("convert", tmp_path / "theirs_binary.tflite")
    assert (result.exit_code, "the file is binary already" in result.stderr) == (1, True)


def test_lces_converter_beside_ours(run, tmp_path):
    result = mbnn("convert", run, "--via", "lce", "--output", tmp_path / "lce.tflite", "--no-float")
    assert result.exit_code == 0, result.stderr
    assert "binary layers: 2" in result.stdout
    assert "stays float: dense1: LCE's converter did not make it binary" in result.stdout


def test_lint_tells_what_a_model_would_become(run, float_head):
    rows = {row["layer"]: row for row in answer("lint", run)["layers"]}
    assert {rows[name]["converted_to"] for name in ("conv2", "conv3", "dense1", "dense2")} == {"binary"}
    result = mbnn("lint", float_head)
    assert result.exit_code == 1
    assert "CONV_3D" in result.stdout
    assert "volume is declared binary and would be float" in result.stderr
    assert mbnn("lint", float_head, "--allow-float", "volume").exit_code == 0
    result = mbnn("lint", float_head, "--allow-float", "volumee")
    assert (result.exit_code, "unknown layer 'volumee'. Did you mean volume? Known: " in result.stderr) == (2, True)
    result = mbnn("convert", float_head)
    assert (result.exit_code, "--allow-float volume leaves it so" in result.stderr) == (1, True)


def test_stages_in_the_wrong_order_name_the_right_one(run, tmp_path):
    import shutil

    early = tmp_path / "early"
    shutil.copytree(run, early)
    for name in ("model.tflite", "model_float.tflite"):
        (early / name).unlink(missing_ok=True)
    for command in ("verify", "inspect", "export-weights", "profile"):
        result = mbnn(command, early)
        assert result.exit_code == 2
        assert f"{early} holds no model.tflite. mbnn convert {early} makes it" in result.stderr
    (early / "model.keras").unlink()
    (early / "model.tflite").write_bytes(b"")  # from elsewhere
    for command in ("convert", "lint", "verify"):
        result = mbnn(command, early)
        assert result.exit_code == 2
        assert f"mbnn train --resume --run {early} ends its training" in result.stderr


def test_a_truncated_file_gets_one_line(converted, tmp_path):
    whole = RunFolder(converted).tflite.read_bytes()
    path = tmp_path / "half.tflite"
    path.write_bytes(whole[: len(whole) // 2])
    for command in ("inspect", "profile"):
        result = mbnn(command, path)
        assert result.exit_code == 1
        assert "half.tflite is truncated or malformed" in result.stderr
        assert result.stderr.count("\n") == 1


def test_the_wrong_engine_names_the_right_one(converted):
    result = mbnn("profile", RunFolder(converted).tflite, "--engine", "litert", "--runs", 3)
    assert result.exit_code == 1
    assert "the engine litert cannot run this file" in result.stderr
    result = mbnn("profile", RunFolder(converted).tflite, "--engine", "lcee")
    assert result.exit_code == 2
    assert "unknown engine 'lcee'. Did you mean lce?" in result.stderr
    result = mbnn("profile", RunFolder(converted).tflite, "--threads", "one")
    assert result.exit_code == 2
    assert "--threads 'one' is not a list of thread counts" in result.stderr


def test_images_of_the_wrong_shape(converted, tmp_path):
    run = RunFolder(converted)
    folder = tmp_path / "images"
    from PIL import Image

    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
        for index in range(20):
            Image.new("RGB", (12, 12), (index, 0, 0)).save(folder / label / f"{index}.png")
    arguments = ["--model", run.model, "--dataset", f"image_folder:{folder}"]
    result = mbnn("verify", run.tflite, *arguments)
    assert result.exit_code == 1
    assert "the file takes images of (8, 8, 1), the data set has (8, 8, 3)" in result.stderr


def test_a_model_with_no_binary_layer(tmp_path):
    from mobile_bnn.legacy_keras import tf

    model = tf.keras.Sequential([tf.keras.layers.Input((8, 8, 3)), tf.keras.layers.Conv2D(4, 3)])
    model.save(tmp_path / "float.keras")
    result = mbnn("convert", tmp_path / "float.keras")
    assert result.exit_code == 1
    assert "the model has no binary layer" in result.stderr


def test_an_unwritable_place_gets_one_line(converted):
    result = mbnn("report", converted, "--output", "/proc/report.html")
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert "/proc" in result.stderr


@pytest.mark.parametrize(
    ("output", "message"),
    [("folder.npz", "Is a directory: "), ("file/w.npz", "Not a directory: "), ("/proc/w.npz", "No such file or dir")],
)
def test_an_output_that_cannot_be_is_named_as_given(converted, tmp_path, output, message):
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("mine")
    result = mbnn("export-weights", converted, "--output", tmp_path / output)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {message}")
    assert ".part" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.npz"]
