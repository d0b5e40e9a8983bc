"""data.load: names without TensorFlow, the digits, hold-out, and every wrong argument's message."""

import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mobile_bnn import data
from mobile_bnn.data.memory import memory_bytes
from mobile_bnn.errors import MobileBnnError, UsageError


def test_the_names_are_readable_without_tensorflow():
    code = (
        "import sys; from mobile_bnn import data; assert 'digits' in data.NAMES; "
        "assert not any(m.split('.')[0] in ('tensorflow', 'sklearn') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_digits_are_complete_and_their_splits_disjoint():
    digits = data.load("digits", augment=False, batch_size=100)
    info = digits.info
    assert (info.train_size, info.validation_size, info.test_size) == (1257, 180, 360)
    assert (info.input_shape, info.num_classes, info.labels[3]) == ((8, 8, 1), 10, "3")
    batches = [*digits.train().as_numpy_iterator(), *digits.validation.as_numpy_iterator()]
    images = np.concatenate([*(x for x, _ in batches), digits.test_arrays()[0]])
    assert images.shape == (1797, 8, 8, 1)
    assert (images.min(), images.max()) == (-1, 1)
    assert len(np.unique(images.reshape(1797, -1), axis=0)) == 1797


def test_the_test_digits_do_not_depend_on_the_seed_but_the_validation_digits_do():
    first, second = data.load("digits", seed=0), data.load("digits", seed=1)
    np.testing.assert_array_equal(first.test_arrays()[0], second.test_arrays()[0])
    a, b = next(first.validation.as_numpy_iterator())[0], next(second.validation.as_numpy_iterator())[0]
    assert (a != b).any()


def test_each_digit_is_in_each_split_in_proportion():
    digits = data.load("digits", batch_size=2000)
    for split, size in ((digits.validation, 180), (digits.test, 360)):
        counts = np.bincount(next(split.as_numpy_iterator())[1], minlength=10)
        assert counts.sum() == size
        assert counts.min() >= 0.9 * size / 10


def test_no_validation_split_if_none_is_held_out():
    digits = data.load("digits", validation_fraction=0)
    assert digits.validation is None
    assert (digits.info.train_size, digits.info.validation_size) == (1437, 0)


def test_test_arrays_are_the_first_test_samples():
    digits = data.load("digits", batch_size=7)
    images, labels = digits.test_arrays(10)
    everything = digits.test_arrays()
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(images, everything[0][:10])
    np.testing.assert_array_equal(labels, everything[1][:10])
    assert len(everything[1]) == 360
    assert digits.test_arrays(1000)[0].shape == (360, 8, 8, 1)
    assert digits.test_arrays(0)[0].shape == (0, 8, 8, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size 0 is not at least 1"),
        ({"seed": -1}, "seed -1 is not in 0"),
        ({"validation_fraction": 1.0}, "validation_fraction 1.0 is not at least 0 and below 1"),
        ({"validation_fraction": 0.001}, "splits 1437 digits into 1436 and 1: each part needs one image"),
        ({"validation_fraction": 0.999}, "splits 1437 digits into 1 and 1436: each part needs"),
        ({"image_size": 0}, "image_size 0 is not at least 1"),
        (
            {"image_size": 32},
            r"image_size 32 does not fit digits, whose images are all 8 × 8. Leave image_size out, which is for images "
            r"of varying size, or give the images' own: --set image_size=8$",
        ),
        ({"batch_size": 10**30}, "batch_size 1000000000000000000000000000000 is more than any data set has"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        data.load("digits", **arguments)


def test_unknown_names_get_the_nearest_ones():
    with pytest.raises(UsageError, match=r"unknown data set 'fashion-mnist'. Did you mean fashion_mnist"):
        data.load("fashion-mnist")
    with pytest.raises(UsageError, match=r"Did you mean svhn_cropped.* Known: digits, mnist, .* TensorFlow Datasets"):
        data.load("svhn_croped")


def test_a_data_dir_that_is_no_folder_is_named_with_its_origin(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"the data directory, .*/nowhere, is not a folder"):
        data.load("mnist", data_dir=tmp_path / "nowhere")
    monkeypatch.setenv("MBNN_DATA_DIR", str(tmp_path / "lost"))
    with pytest.raises(UsageError, match=r"of the variable MBNN_DATA_DIR, .*/lost, is not a folder"):
        data.load("cifar10")
    assert data.load("digits").info.origin == "scikit-learn"


def test_exit_codes_tell_usage_from_failure(tmp_path, monkeypatch):
    assert UsageError.exit_code == 2
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"")
    monkeypatch.setenv("MBNN_DATA_DIR", str(tmp_path))
    with pytest.raises(MobileBnnError, match="is not whole") as caught:
        data.load("mnist")
    assert caught.value.exit_code == 1


def test_the_images_own_size_may_be_given():
    assert data.load("digits", image_size=8).info.input_shape == (8, 8, 1)


def test_a_home_in_the_data_directory_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MBNN_DATA_DIR", "~/sets")
    with pytest.raises(UsageError, match=f"{tmp_path}/sets, is not a folder"):
        data.load("mnist")


def test_batches_that_cannot_fit_are_refused_before_the_images_are_read(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(3):
            (tmp_path / name / f"{i}.png").write_bytes(b"not read so far")
    with pytest.raises(UsageError) as caught:
        data.load(f"image_folder:{tmp_path}", image_size=10**6)
    assert re.fullmatch(
        r"a batch of 1 image of 1,000,000 × 1,000,000 pixels does not fit into memory: it takes at least 24,000.0 GB, "
        r"this machine has [\d,.]+ GB. Give a smaller size, --set image_size=N, or a smaller --batch-size",
        str(caught.value),
    )


def test_the_size_of_a_batch_counts(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(40):
            Image.new("RGB", (8, 8)).save(tmp_path / name / f"{i}.png")
    fits = int((memory_bytes() / 24) ** 0.5)  # one image does, two do not
    assert data.load(f"image_folder:{tmp_path}", image_size=fits, batch_size=1).info.input_shape[0] == fits
    with pytest.raises(UsageError, match=r"a batch of 2 images of .* does not fit into memory"):
        data.load(f"image_folder:{tmp_path}", image_size=fits, batch_size=2)
    with pytest.raises(UsageError, match=r"a batch of 66 images of .* does not fit into memory"):
        data.load(f"image_folder:{tmp_path}", image_size=fits, batch_size=10**9)  # no more than there are
