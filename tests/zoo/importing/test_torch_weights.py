"""Authors' PyTorch checkpoints give our networks their outputs: seeded weights in their names, logits of PyTorch."""

import numpy as np
import pytest
from safetensors_files import write_safetensors
from seeded_weights import images
from torch_layouts import FIXTURE, arrays_of, layout

from mobile_bnn import zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo.importing.loading import publications

NETWORKS = sorted({key.partition("/")[0] for key in FIXTURE})


def logits(model, x):
    """Before the softmax: float32 [images, classes]."""
    return tf.keras.Model(model.input, model.layers[-1].input)(x, training=False).numpy()


def test_every_known_publication_is_compared():
    """All but the larger sizes of BNext, whose names and code are those of the smallest."""
    assert sorted(each.zoo for each in publications() if each.format == "PyTorch" and each.zoo[:-1] != "bnext_") == [
        each for each in NETWORKS if each != "bnext_t"
    ]


@pytest.mark.parametrize("network", NETWORKS)
def test_outputs_are_pytorchs(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    # As DataParallel names them.
    write_safetensors(path, {f"module.{name}": array for name, array in arrays_of(network).items()})
    known = layout(network)
    shape = known["input_shape"]
    model = zoo.load_weights(network, path, shape, known["network"])
    found = logits(model, images(known["pool"], *shape[:2])[known["images"]])
    expected = FIXTURE[f"{network}/logits"]
    assert expected.std(0).mean() > 0.01, "or else images would not matter"
    difference = np.abs(found[:, :: 10 if found.shape[1] > 100 else 1] - expected).max() / np.abs(expected).max()
    print(f"{network}: {difference:.1e}")
    assert difference < 1e-4
