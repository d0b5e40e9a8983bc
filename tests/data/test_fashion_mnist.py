"""The real Fashion-MNIST, from MBNN_DATA_DIR or where Debian's package puts it."""

import os
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import data
from tests.support.packages import need

OWN = os.environ.get("MBNN_DATA_DIR")  # conftest.py hides it from the tests


@pytest.fixture(scope="module")
def folder() -> Path:
    """The folder with the idx files."""
    if OWN and list(Path(OWN).glob("train-images*idx3-ubyte*")):
        return Path(OWN)
    return need("dataset-fashion-mnist", "the real Fashion-MNIST is not read")


def test_the_whole_set_is_read(folder):
    fashion = data.load("fashion_mnist", data_dir=folder, batch_size=1000)
    info = fashion.info
    assert (info.train_size, info.validation_size, info.test_size) == (55_000, 5_000, 10_000)
    assert (info.input_shape, info.labels[9], info.mean, info.std) == ((28, 28, 1), "Ankle boot", (127.5,), (127.5,))
    images, labels = fashion.test_arrays()
    assert images.shape == (10_000, 28, 28, 1)
    np.testing.assert_array_equal(np.bincount(labels), [1000] * 10)
    assert list(labels[:5]) == [9, 2, 1, 1, 6]
    assert images.mean() == pytest.approx(2 * 0.2868 - 1, abs=1e-3)  # the mean pixel that the literature quotes: 0.286


def test_training_and_validation_make_up_the_training_files(folder):
    fashion = data.load("fashion_mnist", data_dir=folder, batch_size=1000, augment=False)
    train = sum(np.bincount(labels, minlength=10) for _, labels in fashion.train().as_numpy_iterator())
    validation = sum(np.bincount(labels, minlength=10) for _, labels in fashion.validation.as_numpy_iterator())
    np.testing.assert_array_equal(train + validation, [6000] * 10)


def test_the_environment_variable_names_the_folder_too(folder, monkeypatch):
    monkeypatch.setenv("MBNN_DATA_DIR", str(folder))
    assert data.load("fashion_mnist", validation_fraction=0).info.train_size == 60_000
