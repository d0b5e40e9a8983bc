"""Files that torch.save and safetensors wrote are read as PyTorch reads them, without PyTorch."""

from pathlib import Path

import numpy as np
import pytest
from seeded_weights import images

from mobile_bnn import zoo
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo.importing.checkpoints import open_checkpoint

FILES = Path(__file__).parent / "torch_files"
EXPECTED = np.load(FILES / "expected.npz")


@pytest.mark.parametrize("name", ["training.pth.tar", "legacy.pth.tar", "plain.safetensors"])
def test_every_type_and_layout_is_read_as_pytorch_reads_it(name):
    checkpoint = open_checkpoint(FILES / name)
    assert checkpoint.format == "PyTorch"
    assert {*checkpoint.arrays} == {*EXPECTED.files} - {"reactnet_a"}, (
        "neither the optimizer's, nor DataParallel's prefix"
    )
    for array_name, stored in checkpoint.arrays.items():
        array = stored.read()
        assert array.dtype == np.float32
        assert array.shape == stored.shape
        np.testing.assert_array_equal(array, EXPECTED[array_name], err_msg=array_name)


def test_a_network_that_pytorch_saved_gives_its_outputs():
    model = zoo.load_weights("reactnet_a", FILES / "reactnet_a.pth", (64, 64, 3), {"width": 1 / 32})
    logits = tf.keras.Model(model.input, model.layers[-1].input)(images(2, 64, 64), training=False).numpy()
    expected = EXPECTED["reactnet_a"]
    assert np.abs(logits - expected).max() < 1e-4 * np.abs(expected).max()
    assert model.output_shape == (None, 10), "as many classes as the file's last layer has"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "whole_model.pth",
            "is unsafe: it asks for torch.nn.modules.container.Sequential, and only tensors are read. Save",
        ),
        ("expanded.pth", "is unsafe: a tensor of shape (1000, 1000) is larger than its storage"),
        ("script.pt", "is a TorchScript program, not weights. Save its weights: torch.save(torch.jit.load(FILE)"),
    ],
)
def test_what_is_more_than_tensors_is_refused(name, message):
    with pytest.raises(MobileBnnError) as error:
        open_checkpoint(FILES / name)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
