"""Weights of the package: bit-packed and back, what they reach, and what is refused."""

import json
import shutil
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest

from mobile_bnn import methods, zoo
from mobile_bnn.data import load as load_data
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.legacy_keras import tf
from mobile_bnn.records import History
from mobile_bnn.runtime import Interpreter, read_metadata
from mobile_bnn.training import Recipe
from mobile_bnn.training.reproductions import get
from mobile_bnn.zoo.trained import named_weights, packed_weights, records

ALL = [(name, tag) for name in zoo.names() for tag in zoo.tags(name)]


def at_random(model):
    """The same model with weights of a trained one's kind: none 0, latent ones inside of (-1, 1)."""
    generator = np.random.default_rng(3)
    model.set_weights(
        [generator.uniform(0.05, 0.95, w.shape) * generator.choice((-1, 1), w.shape) for w in model.get_weights()]
    )
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.moving_variance.assign(np.abs(layer.moving_variance))
    return model


# Kernels of ±1, of ±a scale of each filter, of one scale of all filters, with learned values, of several bases.
@pytest.mark.parametrize("method", ["bnn", "react_net", "dorefa", "ir_net", "ada_bin", "lq_nets", "full_precision"])
def test_what_is_packed_computes_the_same_when_it_is_read(tmp_path, method):
    built = [zoo.build("resnet20", method, (8, 8, 3), 3) for _ in range(2)]
    model, other = at_random(built[0]), built[1]
    packed_weights.write(tmp_path / "w.npz", packed_weights.pack(model))
    assigned = named_weights.assign(other, packed_weights.read(tmp_path / "w.npz"), "w.npz")
    assert (assigned.values, assigned.fresh) == (len(model.weights), [])
    images = tf.random.stateless_normal((4, 8, 8, 3), seed=(1, 2))
    np.testing.assert_allclose(other(images), model(images), atol=1e-6)


@pytest.mark.parametrize(("method", "packed"), [("bnn", 18), ("react_net", 18), ("full_precision", 0)])
def test_binary_kernels_are_bits(method, packed):
    arrays = packed_weights.pack(at_random(zoo.build("resnet20", method, (8, 8, 3), 3)))
    signs = {name: value for name, value in arrays.items() if name.endswith("|signs")}
    assert len(signs) == packed
    if signs:
        assert signs["stage1_1_conv/kernel|signs"].nbytes == 3 * 3 * 16 * 16 / 8
        assert "stage1_1_conv/kernel" not in arrays


def test_a_kernel_that_its_quantizer_would_change_is_kept_as_it_is():
    """Two-bit weights take four values."""
    model = at_random(zoo.build("resnet20", methods.create("lq_nets", weight_bits=2), (8, 8, 3), 3))
    arrays = packed_weights.pack(model)
    np.testing.assert_array_equal(arrays["stage1_1_conv/kernel"], model.get_layer("stage1_1_conv").kernel)


@pytest.fixture
def written(tmp_path):
    """A file of weights and its arrays."""
    arrays = packed_weights.pack(at_random(zoo.build("binary_lenet", "bnn", (8, 8, 1), 3)))
    packed_weights.write(tmp_path / "w.npz", arrays)
    return tmp_path / "w.npz", arrays


@pytest.mark.parametrize("kept", [0, 10, 1000, -1])
def test_a_file_that_is_cut_off_is_refused_in_one_line(written, kept):
    path, _ = written
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(MobileBnnError, match=r"w\.npz cannot be read: ") as refused:
        packed_weights.read(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_changed_byte_among_the_numbers_is_refused(written, share):
    path, _ = written
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(MobileBnnError, match=r"w\.npz cannot be read: "):
        packed_weights.read(path)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("|shape", np.array([2**20, 2**20, 2**20, 2**20])),
        ("|shape", np.array([3, 3, 32, 65])),
        ("|shape", np.array([-3, 3, 32, 64])),
        ("|shape", np.array([])),
        ("|signs", np.zeros(3, np.uint8)),
        ("|signs", np.zeros(2304, np.float32)),
        ("|scales", np.ones(3, np.float32)),
        ("|scales", np.array([{"an": "object"}])),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(written, part, value):
    path, arrays = written
    packed_weights.write(path, {**arrays, f"conv2/kernel{part}": value})
    with pytest.raises(MobileBnnError, match=r"w\.npz cannot be read: "):
        packed_weights.read(path)


def test_a_part_that_is_missing_is_refused(written):
    path, arrays = written
    packed_weights.write(path, {name: value for name, value in arrays.items() if name != "conv2/kernel|scales"})
    with pytest.raises(MobileBnnError, match=r"cannot be read: .*conv2/kernel"):
        packed_weights.read(path)


@pytest.mark.parametrize(("name", "tag"), ALL)
def test_what_comes_with_the_package_is_whole_and_of_its_recipe(name, tag):
    record = zoo.trained(name, tag)
    assert (record.zoo, record.tag) == (name, tag)
    assert {path.name for path in record.folder.iterdir()} == {*record.sha256, records.RECORD}
    for file, digest in record.sha256.items():
        assert sha256(record.file(file)) == digest
    recipe = get(record.command.removeprefix("mbnn reproduce ")).recipe
    assert recipe.differences(Recipe.read(record.file(records.RECIPE))) == []
    history = History.load(record.file(records.HISTORY))
    assert len(history.epochs) == record.epochs == recipe.epochs
    if record.headline == "top-1":  # of the other tasks Keras has no such metric
        # Packing rounds scales after the training has measured, which may move an image or two over a border.
        assert history.test[history.metric] == pytest.approx(record.keras, abs=2.5 / record.images)


@pytest.mark.parametrize(("name", "tag"), ALL)
def test_the_keras_model_and_the_file_compute_the_same(name, tag):
    loaded = zoo.load(name, weights=tag)
    assert len(loaded.labels) == loaded.record.num_classes
    images = np.random.default_rng(0).normal(size=(8, *loaded.record.input_shape)).astype(np.float32)
    outputs = Interpreter(loaded.tflite).predict(images)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for ours, keras in zip(outputs, tf.nest.flatten(loaded.model(images)), strict=True):
        # Both round, and of millions of signs one may flip by that.
        difference = np.abs(ours - keras.numpy()) / float(np.abs(keras).max())
        assert np.mean(difference > 1e-5) < 1e-3
    assert list(read_metadata(loaded.tflite.read_bytes()).labels) == list(loaded.labels)


@pytest.mark.parametrize(("name", "tag"), [(name, tag) for name, tag in ALL if tag == "digits"])
def test_they_reach_what_the_record_says(name, tag):
    loaded, data = zoo.load(name, weights=tag), load_data("digits")
    images, labels = data.test_arrays()
    keras = np.mean(loaded.model.predict(images, verbose=0).argmax(-1) == labels)
    tflite = np.mean(Interpreter(loaded.tflite).predict(images).argmax(-1) == labels)
    assert (keras, tflite, len(labels)) == (loaded.record.keras, loaded.record.tflite, loaded.record.images)


def test_all_of_them_are_small():
    """The package, in which they are deflated, grows by 3 MB at most."""
    assert ALL
    files = (path for path in records.FOLDER.rglob("*") if path.is_file())
    assert sum(len(zlib.compress(path.read_bytes())) for path in files) < 3e6


def test_a_damaged_file_is_told_from_a_whole_one(tmp_path, monkeypatch):
    shutil.copytree(records.FOLDER / "binary_lenet", tmp_path / "binary_lenet")
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    zoo.load("binary_lenet", "digits")
    weights = tmp_path / "binary_lenet" / "digits" / "weights.npz"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(MobileBnnError, match=r"weights\.npz is damaged: its SHA-256 is another. Install"):
        zoo.load("binary_lenet", "digits")
    weights.unlink()
    with pytest.raises(MobileBnnError, match=r"weights\.npz is missing"):
        zoo.load("binary_lenet", "digits")


@pytest.mark.parametrize(
    ("name", "tag", "message"),
    [
        ("binary_lenet", "digit", "unknown weights of binary_lenet 'digit'. Did you mean digits? Known: "),
        ("xnornet", "imagenet", "there are no trained weights of xnornet. Choose one of binary_lenet"),
        ("binary_lenett", "digits", "unknown zoo model 'binary_lenett'. Did you mean binary_lenet"),
        ("../binary_lenet", "digits", "unknown zoo model '../binary_lenet'"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(name, tag, message):
    with pytest.raises(UsageError) as refused:
        zoo.load(name, weights=tag)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_listing_them_loads_no_tensorflow():
    code = (
        "import sys; from mobile_bnn import zoo; tag = zoo.tags('binary_lenet')[0]; "
        "print(zoo.trained('binary_lenet', tag).headline, 'tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "top-1 False\n"


def test_the_record_is_json_without_anything_of_this_machine():
    for name, tag in ALL:
        text = json.dumps(json.loads((records.FOLDER / name / tag / records.RECORD).read_text()))
        assert "/" not in text.replace("top-1", "")
        with zipfile.ZipFile(records.FOLDER / name / tag / records.WEIGHTS) as archive:
            assert not [info for info in archive.infolist() if info.filename.startswith(("/", ".."))]
