"""TensorFlow Datasets: mocked sets in their real structure, real prepared files, and what happens without a network."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from mobile_bnn import data
from mobile_bnn.data import tfds_source
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf
from tests.support import tfds_sets

tfds = tfds_source.tfds
SAMPLES = 40


SPLITS = {
    "mnist": ("train", "test"),
    "fashion_mnist": ("train", "test"),
    "cifar10": ("train", "test"),
    "svhn_cropped": ("train", "test", "extra"),
    "imagenet2012": ("train", "validation"),
}


@pytest.fixture
def mocked(tmp_path):
    with tfds_sets.mocked(tmp_path, SPLITS, SAMPLES):
        yield


@pytest.mark.parametrize(
    ("name", "shape", "augmentation", "label"),
    [
        ("mnist", (28, 28, 1), "zero-pad 1 and crop", "3"),
        ("fashion_mnist", (28, 28, 1), "zero-pad 1 and crop", "Dress"),
        ("cifar10", (32, 32, 3), "zero-pad 4 and crop, horizontal flip", "cat"),
        ("svhn_cropped", (32, 32, 3), "zero-pad 4 and crop", "3"),
    ],
)
def test_sets_of_one_image_size(mocked, name, shape, augmentation, label):
    dataset = data.load(name, batch_size=16, validation_fraction=0.25)
    info = dataset.info
    assert (info.input_shape, info.augmentation, info.labels[3]) == (shape, augmentation, label)
    assert (info.train_size, info.validation_size, info.test_size) == (30, 10, SAMPLES)
    assert info.origin.startswith(f"TensorFlow Datasets, {name}/")
    assert [images.shape for images, _ in dataset.train()] == [(16, *shape), (14, *shape)]
    assert len(info.mean) == shape[2]
    batch = next(dataset.test.as_numpy_iterator())[0]
    assert -3 < batch.min() < -0.9
    assert 0.9 < batch.max() < 3


def test_images_of_varying_size_are_cropped(mocked):
    dataset = data.load("imagenet2012", batch_size=16, validation_fraction=0.25, image_size=48)
    info = dataset.info
    assert (info.input_shape, info.num_classes) == ((48, 48, 3), 1000)
    assert (info.train_size, info.validation_size, info.test_size) == (30, 10, SAMPLES)
    first = [images for images, _ in dataset.train(0, 2).as_numpy_iterator()]
    assert [len(images) for images in first] == [16, 14, 16, 14]
    np.testing.assert_array_equal(first[2], next(dataset.train(1).as_numpy_iterator())[0])
    assert -1 <= first[0].min() < first[0].max() <= 1
    assert data.load("imagenet2012").info.input_shape == (224, 224, 3)


@pytest.mark.parametrize("name", ["coco/2017", "ag_news_subset"])
def test_sets_without_images_and_labels_are_refused(name):
    with pytest.raises(UsageError, match=f"{name} of TensorFlow Datasets is not for image classification"):
        data.load(name)


@pytest.mark.parametrize("name", ["imagenet_resized/77x77", "mnist:99.0.0"])
def test_unknown_configurations_and_versions_are_refused(name):
    with pytest.raises(UsageError, match=f"TensorFlow Datasets does not know {name}"):
        data.load(name)


def prepare(folder, splits, samples=6, labels=None):
    """A set on disk, written by TFDS itself."""
    features = tfds.features.FeaturesDict(
        {"image": tfds.features.Image(shape=(28, 28, 1)), "label": tfds.features.ClassLabel(num_classes=10)}
    )
    images = np.random.default_rng(0).integers(0, 256, (samples, 28, 28, 1), dtype=np.uint8)
    labels = np.arange(samples) % 10 if labels is None else labels
    tfds.dataset_builders.store_as_tfds_dataset(
        name="mnist",
        version="3.0.1",
        features=features,
        split_datasets={
            split: tf.data.Dataset.from_tensor_slices({"image": images, "label": labels}) for split in splits
        },
        data_dir=folder,
    )
    return images, folder / "mnist" / "3.0.1"


@pytest.fixture
def tfds_dir(tmp_path, monkeypatch):
    """TFDS's own folder for this test, as TFDS_DATA_DIR sets it before TFDS loads."""
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    return tmp_path


def test_a_set_that_tfds_prepared_is_read_from_disk(tfds_dir):
    images, _ = prepare(tfds_dir, ["train", "test"])
    pixels, labels = data.load("mnist", validation_fraction=0).test_arrays()
    order = np.argsort(labels)
    np.testing.assert_array_equal(pixels[order], (images.astype(np.float32) - 127.5) / 127.5)


def test_a_truncated_prepared_file_is_named(tfds_dir):
    _, folder = prepare(tfds_dir, ["train", "test"])
    shard = next(folder.glob("*train*tfrecord*"))
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(MobileBnnError, match=r"files in .*mnist/3\.0\.1 are damaged.*Remove that folder to have it"):
        data.load("mnist")
    shard.unlink()
    with pytest.raises(MobileBnnError, match=r"files in .*mnist/3\.0\.1 are damaged"):
        data.load("mnist")


def test_half_finished_folders_of_tfds_do_not_count(tfds_dir):
    (tfds_dir / "mnist" / "incomplete.ABCDEF_3.0.1").mkdir(parents=True)
    (tfds_dir / "mnist" / "3.0.1").mkdir()
    with pytest.raises(MobileBnnError, match="cannot load mnist"):
        data.load("mnist")


def test_one_error_names_both_attempts_and_the_cure_within_seconds(tfds_dir, monkeypatch, capfd):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody answers there, so no network is needed or used
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    empty = tfds_dir / "empty"
    empty.mkdir()
    start = time.monotonic()
    with pytest.raises(MobileBnnError) as caught:
        data.load("mnist", data_dir=empty)
    assert time.monotonic() - start < 16
    message = str(caught.value)
    assert f"(1) {empty} holds no train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k" in message
    assert "(2) TensorFlow Datasets: no answer from storage.googleapis.com" in message
    assert "--data-dir FOLDER, or MBNN_DATA_DIR=FOLDER" in message
    assert capfd.readouterr().out == ""
    with pytest.raises(MobileBnnError, match=r"\(1\) no local copy was named \(cifar-10-python.tar.gz or .*\(2\)"):
        data.load("cifar10")
    with pytest.raises(MobileBnnError, match="cannot load svhn_cropped from TensorFlow Datasets: no answer from"):
        data.load("svhn_cropped")


def test_sets_whose_archives_must_be_got_by_hand_say_where_to_put_them(tfds_dir, capfd):
    with pytest.raises(MobileBnnError, match=r"Manual directory .*ILSVRC2012_img_train\.tar.*--data-dir"):
        data.load("imagenet2012")
    assert capfd.readouterr().out == ""
    (tfds_dir / "mine").mkdir()
    with pytest.raises(MobileBnnError, match=r"Manual directory .*/mine does not exist or is empty"):
        data.load("imagenet2012", data_dir=tfds_dir / "mine")


def test_a_set_with_only_training_images_gets_a_test_split(tfds_dir):
    prepare(tfds_dir, ["train"], samples=20)
    info = data.load("mnist", validation_fraction=0).info
    assert (info.train_size, info.test_size) == (18, 2)


def test_a_split_without_labels_is_refused(tfds_dir):
    prepare(tfds_dir, ["train", "test"], labels=np.full(6, -1))
    with pytest.raises(MobileBnnError, match=r"the split train of mnist/3\.0\.1 has the label -1: labels are 0 to 9"):
        data.load("mnist")


def test_local_copies_need_no_tfds():
    code = "import sys; from mobile_bnn.data import loading; assert 'tensorflow_datasets' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})


@pytest.mark.parametrize("content", [b"", b'{"name": "mnist", "vers', bytes(range(128, 256)), b"[1, 2]"])
def test_a_damaged_record_of_a_prepared_set_is_named(tfds_dir, content):
    _, folder = prepare(tfds_dir, ["train", "test"])
    (folder / "dataset_info.json").write_bytes(content)
    with pytest.raises(MobileBnnError) as caught:
        data.load("mnist")
    message = str(caught.value)
    assert f"(2) TensorFlow Datasets: the record of mnist in {tfds_dir} is damaged: " in message
    assert "Remove mnist from that folder to have it prepared again" in message
    assert "\n" not in message
    assert "{{" not in message


def test_errors_of_tensorflow_are_told_without_its_names(tfds_dir):
    _, folder = prepare(tfds_dir, ["train", "test"])
    next(folder.glob("*train*tfrecord*")).unlink()
    with pytest.raises(MobileBnnError) as caught:
        data.load("mnist")
    assert f"are damaged: {folder}/mnist-train.tfrecord-00000-of-00001; No such file or directory. " in str(
        caught.value
    )


class OwnSet(tfds.core.GeneratorBasedBuilder):
    """A set of a user's own, a million bytes large, that TFDS prepares without a network."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        image = tfds.features.Image(shape=(64, 64, 3))
        features = tfds.features.FeaturesDict({"image": image, "label": tfds.features.ClassLabel(num_classes=2)})
        return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=("image", "label"))

    def _split_generators(self, _):
        return {"train": self._generate_examples(0), "test": self._generate_examples(1)}

    def _generate_examples(self, seed):
        generator = np.random.default_rng(seed)
        for i in range(40):
            yield i, {"image": generator.integers(0, 256, (64, 64, 3), dtype=np.uint8), "label": i % 2}


def test_a_set_of_ones_own_is_prepared(tfds_dir):
    info = data.load("own_set", validation_fraction=0.1).info
    assert (info.train_size, info.validation_size, info.test_size, info.input_shape) == (36, 4, 40, (64, 64, 3))
    assert (tfds_dir / "own_set" / "1.0.0" / "dataset_info.json").is_file()


@pytest.fixture
def full_disk(tfds_dir):
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", tfds_dir], check=False).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    yield tfds_dir
    subprocess.run(["umount", tfds_dir], check=True)


def test_a_full_disk_is_told_and_leaves_nothing_half_prepared(full_disk):
    with pytest.raises(MobileBnnError) as caught:
        data.load("own_set")
    assert str(caught.value) == (
        f"cannot load own_set from TensorFlow Datasets: cannot prepare own_set/1.0.0 in {full_disk}/own_set: No space "
        "left on device. Make room there, or let the variable TFDS_DATA_DIR name a folder on another disk"
    )
    assert not list((full_disk / "own_set").iterdir())


@pytest.fixture
def streamed(monkeypatch):
    """Streams every set, as if it were larger than the memory that one may take."""
    monkeypatch.setattr(tfds_source, "MEMORY_LIMIT_BYTES", 0)


def test_sets_that_memory_does_not_hold_are_streamed(mocked, streamed):
    whole = data.load("cifar10", batch_size=16, validation_fraction=0.25, augment=False)
    assert (whole.info.input_shape, whole.info.train_size, whole.info.validation_size) == ((32, 32, 3), 30, 10)
    assert "random crop" in data.load("cifar10").info.augmentation
    first, again = (next(whole.train(3).as_numpy_iterator()) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    assert [images.shape for images, _ in whole.train()] == [(16, 32, 32, 3), (14, 32, 32, 3)]


def test_a_streamed_set_that_is_damaged_ends_in_one_error(tfds_dir, streamed):
    _, folder = prepare(tfds_dir, ["train", "test"], samples=40)
    shard = next(folder.glob("*test*tfrecord*"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 255
    shard.write_bytes(content)
    dataset = data.load("mnist")
    with pytest.raises(MobileBnnError, match=r"^cannot read .* \(TensorFlow Datasets, mnist/3.0.1\): corrupted record"):
        dataset.test_arrays()
    model = tf.keras.Sequential([tf.keras.layers.Input((28, 28, 1)), tf.keras.layers.Flatten()])
    model.compile(loss="mse")
    with pytest.raises(MobileBnnError, match=r"corrupted record at \d+\. Restore"), dataset.reading():
        model.evaluate(dataset.test, verbose=0)
