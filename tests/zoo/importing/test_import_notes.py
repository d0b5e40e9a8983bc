"""What an import tells beside the model: what matched, what nobody can tell, and files that almost fit."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch_layouts
from safetensors_files import write_safetensors
from typer.testing import CliRunner

from mobile_bnn import zoo
from mobile_bnn.cli.main import app
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo.importing.loading import import_weights
from mobile_bnn.zoo.importing.state_dicts import checkpoint_of
from mobile_bnn.zoo.importing.torch_tensors import Storage, Tensor

CHECKPOINT = Path(__file__).parent / "torch_files" / "reactnet_a.pth"
NARROW = {"width": 1 / 32}
SMALL = (32, 32, 3)


@pytest.fixture(scope="module")
def resnet20():
    """IR-Net's ResNet-20 as a checkpoint: arrays by name."""
    return torch_layouts.arrays_of("irnet_resnet20")


def test_the_report_names_every_array_and_where_it_went():
    imported = import_weights("reactnet_a", CHECKPOINT, (64, 64, 3), NARROW)
    places = {name: (slot.layer, slot.weight) for slot in imported.slots for name in slot.names}
    assert places["feature.2.binary_pw_down2.weights"] == ("block2_2_conv", "kernel")
    assert places["feature.13.move13.bias"] == ("block13_1_add_rprelu", "after")
    variables = {(layer.name, each.name) for layer in imported.model.layers for each in layer.weights}
    assert len({(slot.layer, slot.weight) for slot in imported.slots}) == len(variables)
    assert all(name.endswith("num_batches_tracked") for name in imported.unused)
    assert imported.notes == []


def test_the_command_prints_it_and_writes_a_model(tmp_path):
    output = tmp_path / "narrow.keras"
    line = ["import-weights", "reactnet_a", str(CHECKPOINT), "--set", "width=0.03125", "--output", str(output)]
    result = CliRunner().invoke(app, [*line, "--input-shape", "64x64x3"])
    assert result.exit_code == 0, result.output
    assert "Weights of ReActNet's authors" in result.stdout
    row = next(line.split() for line in result.stdout.splitlines() if "binary_pw_down1.weights" in line)
    assert row == ["feature.1.binary_pw_down1.weights", "1x1", "block1_2_conv/kernel"]
    assert f"{output}: reactnet_a with 266 arrays, 30,649 parameters, method react_net" in result.stdout
    assert f"next: mbnn convert {output}" in result.stdout
    model = tf.keras.models.load_model(output, compile=False)
    assert model.input_shape == (None, 64, 64, 3)


def test_weights_of_0_are_noted(tmp_path, resnet20):
    changed = {**resnet20, "layer1.0.conv1.weight": resnet20["layer1.0.conv1.weight"].copy()}
    changed["layer1.0.conv1.weight"][0, 0, 0, :2] = 0
    write_safetensors(tmp_path / "w.safetensors", changed)
    notes = import_weights("irnet_resnet20", tmp_path / "w.safetensors", SMALL).notes
    assert notes == ["2 weights of binary layers are 0: taken as +1"]


def test_as_many_classes_as_the_file_has(tmp_path, resnet20):
    changed = resnet20 | {"linear.weight": np.ones((3, 64), np.float32), "linear.bias": np.zeros(3, np.float32)}
    write_safetensors(tmp_path / "w.safetensors", changed)
    assert zoo.load_weights("irnet_resnet20", tmp_path / "w.safetensors", SMALL).output_shape == (None, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer1.0.conv1.alpha": np.ones((16, 1, 1))}, "it has layer1.0.conv1.alpha too"),
        ({"bn1.weight": np.ones(17)}, "bn1.weight is (17,), not (16,)"),
        ({"layer1.0.conv1.weight": np.ones((16, 16, 9))}, "layer1.0.conv1.weight is (16, 16, 9), not (16, 16, 3, 3)"),
        ({"bn1.running_var": np.full(16, np.nan)}, "has a NaN or an infinity in bn1.running_var"),
        ({"linear.weight": None}, "it has no array of a last layer that is known"),
        ({"bn2.bias": None}, "does not have the weights of irnet_resnet20: it lacks bn2.bias"),
    ],
)
def test_a_file_that_almost_fits_is_refused(tmp_path, resnet20, change, message):
    arrays = {name: array for name, array in (resnet20 | change).items() if array is not None}
    write_safetensors(tmp_path / "w.safetensors", arrays)
    with pytest.raises(MobileBnnError) as error:
        zoo.load_weights("irnet_resnet20", tmp_path / "w.safetensors", SMALL)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_kernels_of_bnext_that_are_still_soft_are_refused(tmp_path):
    arrays = torch_layouts.arrays_of("bnext_t")
    arrays["feature.3.FFN.binary_conv.temperature"] = np.full(1, 0.01, np.float32)
    write_safetensors(tmp_path / "w.safetensors", arrays)
    with pytest.raises(
        MobileBnnError, match=r"cannot be loaded as bnext_t: its kernels are not binary yet, .* of 0\.01$"
    ):
        zoo.load_weights("bnext_t", tmp_path / "w.safetensors", SMALL, {"stem_stride": "2"})


def test_a_whole_model_of_another_name_is_refused(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {"name": "binary_densenet37"}})
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"dense"]
        layer = weights.create_group("dense")
        layer.attrs["weight_names"] = [b"dense/kernel:0"]
        layer.create_dataset("dense/kernel:0", data=np.zeros((3, 4), np.float32))
    with pytest.raises(MobileBnnError, match="is a model called binary_densenet37, not binary_densenet37_dilated"):
        zoo.load_weights("binary_densenet37_dilated", path)


TENSOR = Tensor(Storage("f4", "0", 2), 0, (2,), (1,))


@pytest.mark.parametrize(
    ("content", "names", "notes"),
    [
        ({"a": TENSOR, "b": TENSOR}, ["a", "b"], ()),
        ({"module.model.a": TENSOR, "module.model.b": TENSOR}, ["a", "b"], ()),
        ({"module.a": TENSOR, "b": TENSOR}, ["module.a", "b"], ()),
        ({"best": TENSOR, "state_dict": {"_orig_mod.a": TENSOR}, "optimizer": {"x": TENSOR}}, ["a"], ()),
        ({"model": {"state_dict": {"a": TENSOR}}}, ["a"], ()),
        (
            {"state_dict": {"a": TENSOR}, "state_dict_ema": {"b": TENSOR}},
            ["b"],
            ("the average of the weights (state_dict_ema) was taken",),
        ),
    ],
)
def test_which_dictionary_holds_the_weights(content, names, notes):
    found = checkpoint_of(Path("w.pth"), content, lambda storage: 8, lambda storage: bytes(8), big_endian=False)
    assert list(found.arrays) == names
    assert found.notes == notes


@pytest.mark.parametrize(
    "content", [[TENSOR], TENSOR, {}, {1: TENSOR}, {"optimizer": {"a": TENSOR}}, {"state_dict": {}}, 7]
)
def test_what_holds_no_weights(content):
    with pytest.raises(MobileBnnError, match=r"w\.pth has no weights that can be read"):
        checkpoint_of(Path("w.pth"), content, lambda storage: 8, lambda storage: bytes(8), big_endian=False)
