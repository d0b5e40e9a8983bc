"""Larq Zoo's files give our networks its outputs: seeded weights in its names, logits that it computed from them."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from seeded_weights import images, seeded

from mobile_bnn import zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo.importing.larq_zoo import PUBLICATIONS
from mobile_bnn.zoo.importing.loading import import_weights

FIXTURE = np.load(Path(__file__).with_name("larq_zoo.npz"))
ALEXNETS = ("binary_alexnet", "dorefa_net", "xnornet")  # 62 million weights each
SLOW = pytest.mark.slow


def layout(network):
    """What `make_larq_zoo.py` wrote of a network: its input shape, and names and shapes layer by layer."""
    return json.loads(FIXTURE[f"{network}/layout"].tobytes())


def write_hdf5(path, layers, first=0):
    """A file as Keras 2's `save_weights` writes it.

    Args:
        path: of the file.
        layers: [name, spread of the batch norms, [[weight, shape], ...]] of each layer.
        first: what is added to the numbers in names, as if other networks had been built before.
    """

    def renamed(name):
        stem, _, number = name.rpartition("_")
        return f"{stem}_{int(number) + first}" if first and number.isdigit() else name

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [renamed(name).encode() for name, _, _ in layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.4.0"
        for name, spread, weights in layers:
            group = file.create_group(renamed(name))
            group.attrs["weight_names"] = [weight.encode() for weight, _ in weights]
            for weight, shape in weights:
                group.create_dataset(weight, data=seeded(weight, shape, spread))


def test_class_names_of_tensorflow_1(tmp_path):
    """They differ by what version of a class had made the layer."""
    wanted, path = layout("quicknet_small"), tmp_path / "weights.h5"
    layers = [
        [name.replace("batch_normalization", "batch_normalization_v1"), *rest] for name, *rest in wanted["layers"]
    ]
    write_hdf5(path, layers)
    imported = import_weights("quicknet_small", path, wanted["input_shape"])
    assert imported.slots[-1].names == ("quant_dense/bias",)
    assert any(slot.names == ("batch_normalization_v1_3/gamma",) for slot in imported.slots)


def logits(model, x):
    """Before the softmax: float32 [images, classes]."""
    return tf.keras.Model(model.input, model.layers[-1].input)(x, training=False).numpy()


def test_all_of_larq_zoos_networks_are_known():
    assert sorted({key.partition("/")[0] for key in FIXTURE}) == sorted(each.zoo for each in PUBLICATIONS)
    assert len(PUBLICATIONS) == 14


@pytest.mark.parametrize(
    "network", [pytest.param(p.zoo, marks=SLOW if p.zoo in ALEXNETS else ()) for p in PUBLICATIONS]
)
def test_outputs_are_larq_zoos(network, tmp_path):
    wanted, path = layout(network), tmp_path / "weights.h5"
    write_hdf5(path, wanted["layers"], first=7)
    model = zoo.load_weights(network, path, wanted["input_shape"])
    found = logits(model, images(3, *wanted["input_shape"][:2]))
    expected = FIXTURE[f"{network}/logits"]
    assert found.shape == (3, 1000)
    assert expected.std(0).mean() > 0.01, "or else images would not matter"
    difference = np.abs(found[:, ::10] - expected).max() / np.abs(expected).max()
    print(f"{network}: {difference:.1e}")
    assert difference < 1e-5
