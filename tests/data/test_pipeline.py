"""The pipelines: repeatable order and augmentation, resuming at an epoch, exact pixels, distribution."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mobile_bnn.data.augment import pad_crop_flip, random_resized_crop
from mobile_bnn.data.in_memory import InMemory
from mobile_bnn.data.info import Augmentation, DatasetInfo
from mobile_bnn.data.pipeline import Dataset, Source
from mobile_bnn.data.stream import Stream
from mobile_bnn.legacy_keras import tf

COUNT = 50
SHAPE = (6, 5, 2)
MEAN, STD = (100.0, 120.0), (50.0, 60.0)
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, *SHAPE), dtype=np.uint8)
SQUARES = np.random.default_rng(1).integers(0, 256, (COUNT, 12, 16, 3), dtype=np.uint8)
LABELS = np.arange(COUNT, dtype=np.int64)


def dataset_of(split, shape, mean, std, *, seed=3, batch_size=8):
    info = DatasetInfo("test", shape, ("a", "b"), mean, std, split.size, 0, split.size, "", "")
    return Dataset(info, batch_size, seed, Source(split, None, split, info.labels, ""))


def in_memory(augmentation=None, **options):
    return dataset_of(InMemory(PIXELS, LABELS, augmentation), SHAPE, MEAN, STD, **options)


def stream(**options):
    encoded = tf.data.Dataset.from_tensor_slices((SQUARES, LABELS)).map(lambda x, y: (tf.io.encode_png(x), y))
    split = Stream(encoded, COUNT, lambda x: tf.io.decode_png(x, channels=3), (8, 8, 3), COUNT)
    return dataset_of(split, (8, 8, 3), (0.0,) * 3, (1.0,) * 3, **options)


KINDS = {
    "memory": in_memory,
    "memory augmented": lambda **options: in_memory(Augmentation(2, flip=True), **options),
    "stream": stream,
}


@pytest.fixture(params=KINDS)
def make(request):
    return KINDS[request.param]


def arrays(batches):
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return images, labels


def assert_equal_batches(left, right):
    for a, b in zip((*left[0], *left[1]), (*right[0], *right[1]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_resumed_training_sees_the_batches_of_the_unbroken_one(make):
    dataset = make()
    images, labels = arrays(dataset.train(0, 3))
    steps = dataset.steps_per_epoch
    assert len(labels) == 3 * steps
    assert_equal_batches((images[2 * steps :], labels[2 * steps :]), arrays(make().train(2, 1)))


def test_epochs_and_seeds_differ(make):
    first, second = arrays(make().train(0, 1))[1], arrays(make().train(1, 1))[1]
    other = arrays(make(seed=4).train(0, 1))[1]
    assert (np.concatenate(first) != np.concatenate(second)).any()
    assert (np.concatenate(first) != np.concatenate(other)).any()


@pytest.mark.parametrize("seed", [0, 3, 2**31 - 1, 2**32 - 1])
def test_the_order_does_not_depend_on_the_process(make, seed):
    """A training sets TensorFlow's global seed, 0 by default; a conversion that calibrates on its images does not."""
    before = arrays(make(seed=seed).train(0, 2))
    tf.keras.utils.set_random_seed(seed)
    assert_equal_batches(before, arrays(make(seed=seed).train(0, 2)))
    tf.keras.utils.set_random_seed(99)
    assert_equal_batches(before, arrays(make(seed=seed).train(0, 2)))


def test_an_epoch_has_every_sample_once_and_keeps_the_last_partial_batch(make):
    dataset = make()
    _, labels = arrays(dataset.train())
    assert sorted(np.concatenate(labels)) == list(range(COUNT))
    assert [len(batch) for batch in labels] == [8] * 6 + [2]
    assert dataset.steps_per_epoch == 7
    assert dataset.train(0, 2).cardinality() == 14


def test_elements_are_float_images_and_integer_labels(make):
    spec = make().train().element_spec
    assert (spec[0].dtype, spec[0].shape.rank, spec[1].dtype, spec[1].shape.rank) == (tf.float32, 4, tf.int64, 1)
    assert spec[0].shape[1:] == make().info.input_shape


def test_augmentation_belongs_to_the_sample_whatever_the_batch_size():
    def by_label(batch_size):
        images, labels = arrays(KINDS["memory augmented"](batch_size=batch_size).train(5, 1))
        return np.concatenate(images)[np.argsort(np.concatenate(labels))]

    np.testing.assert_array_equal(by_label(8), by_label(50))


def test_normalization_is_exact_and_the_test_order_is_the_sets():
    images, labels = in_memory(Augmentation(2, flip=True)).test_arrays()
    expected = (PIXELS.astype(np.float32) - np.float32(MEAN)) / np.float32(STD)
    np.testing.assert_array_equal(images, expected)
    np.testing.assert_array_equal(labels, LABELS)


def test_training_images_without_augmentation_are_the_originals():
    images, labels = arrays(in_memory().train())
    expected = (PIXELS.astype(np.float32) - np.float32(MEAN)) / np.float32(STD)
    np.testing.assert_array_equal(np.concatenate(images), expected[np.concatenate(labels)])


def test_pad_crop_flip_equals_numpy():
    draws = np.random.default_rng(2).random((COUNT, 3), dtype=np.float32)
    result = pad_crop_flip(tf.constant(PIXELS), tf.constant(draws), pad=2, flip=True).numpy()
    for image, (row, column, flip), got in zip(PIXELS, draws, result, strict=True):
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)))
        top, left = int(row * 5), int(column * 5)
        crop = padded[top : top + SHAPE[0], left : left + SHAPE[1]]
        np.testing.assert_array_equal(got, crop[:, ::-1] if flip >= 0.5 else crop)


def test_every_shift_comes_and_none_mirrors_unless_asked():
    one = np.zeros((1, 5, 5, 1), np.uint8)
    one[0, 2, 1] = 255
    split = InMemory(np.repeat(one, 400, 0), np.arange(400, dtype=np.int64), Augmentation(1, flip=False))
    images, _ = arrays(dataset_of(split, (5, 5, 1), (0.0,), (1.0,)).train())
    places = {tuple(np.argwhere(image)[0][:2]) for image in np.concatenate(images)}
    assert places == {(row, column) for row in (1, 2, 3) for column in (0, 1, 2)}


def test_random_resized_crops_depend_on_the_seed_alone_and_stay_in_range():
    image = tf.constant(SQUARES[0])
    crops = [random_resized_crop(image, tf.constant([0, i], tf.int64), 8).numpy() for i in (1, 1, 2)]
    np.testing.assert_array_equal(crops[0], crops[1])
    assert (crops[0] != crops[2]).any()
    assert crops[0].shape == (8, 8, 3)
    assert 0 <= crops[0].min() <= crops[0].max() <= 255


def test_the_central_crop_of_a_stream_is_central():
    dataset = stream()
    wide = np.zeros((16, 32, 3), np.uint8)
    wide[:, 10:22] = 200  # the crop takes the columns 9 to 22
    source = Stream(
        tf.data.Dataset.from_tensors((wide, np.int64(0))),
        1,
        lambda x: x,
        (14, 14, 3),
        shuffle_buffer=1,
        augmented=False,
    )
    images, _ = dataset_of(source, (14, 14, 3), (0.0,) * 3, (1.0,) * 3).test_arrays()
    np.testing.assert_array_equal(images[0, 0, :, 0], [0] + [200] * 12 + [0])
    assert dataset.test_arrays()[0].shape == (COUNT, 8, 8, 3)
    plain, _ = arrays(dataset_of(source, (14, 14, 3), (0.0,) * 3, (1.0,) * 3).train())
    np.testing.assert_array_equal(plain[0], images)


@pytest.mark.parametrize("kind", ["memory", "stream"])
def test_held_out_samples_are_no_longer_trained_on(kind):
    rest, held = KINDS[kind]().source.train.hold_out(10, seed=5)
    assert (rest.size, held.size) == (40, 10)
    kept, validation = (
        {int(label) for _, labels in split.ordered(8).as_numpy_iterator() for label in labels} for split in (rest, held)
    )
    assert kept | validation == set(range(COUNT))
    assert len(validation) == 10
    assert not kept & validation


def test_held_out_samples_depend_on_the_seed():
    split = InMemory(PIXELS, LABELS)
    assert sorted(split.hold_out(10, 0)[1].targets) != sorted(split.hold_out(10, 1)[1].targets)
    np.testing.assert_array_equal(split.hold_out(10, 0)[1].targets, split.hold_out(10, 0)[1].targets)


def test_an_epochs_function_does_not_hold_the_images_as_a_constant():
    split = InMemory(np.zeros((1000, 28, 28, 1), np.uint8), np.zeros(1000, np.int64), Augmentation(1, flip=True))

    @tf.function
    def epoch(number):
        return split.epoch(number, 0, 100).reduce(0, lambda count, batch: count + tf.size(batch[1]))

    graph = epoch.get_concrete_function(tf.TensorSpec([], tf.int64)).graph.as_graph_def()
    assert graph.ByteSize() < split.images.nbytes / 4


DISTRIBUTED = """
import sys
import numpy as np
from mobile_bnn.legacy_keras import tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
tf.keras.utils.set_random_seed(0)
tf.config.experimental.enable_op_determinism()
from mobile_bnn import data
digits = data.load(sys.argv[1], batch_size=100, image_size=8)
assert digits.train().options().experimental_distribute.auto_shard_policy == tf.data.experimental.AutoShardPolicy.DATA
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
labels = [
    np.concatenate([part.numpy() for part in strategy.experimental_local_results(y)])
    for _, y in strategy.experimental_distribute_dataset(digits.train(1, 1))]
alone = [y for _, y in digits.train(1, 1).as_numpy_iterator()]
assert len(labels) == len(alone) == digits.steps_per_epoch > 2
assert all((a == b).all() for a, b in zip(labels, alone))
"""


@pytest.fixture(params=["digits", "image_folder"])
def set_of_each_kind(request, tmp_path):
    """The name of a set that is held in memory, and of one that is streamed."""
    if request.param == "digits":
        return "digits"
    generator = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        for i in range(90):
            pixels = generator.integers(0, 256, (10, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.{'png' if i % 3 else 'tiff'}")
    return f"image_folder:{tmp_path}"


@pytest.mark.slow
def test_mirrored_replicas_share_each_batch_and_all_ops_are_deterministic(set_of_each_kind):
    command = [sys.executable, "-c", DISTRIBUTED, set_of_each_kind]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]


WORKER = """
import json
import sys
from mobile_bnn.legacy_keras import tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from mobile_bnn import data
digits = data.load(sys.argv[1], batch_size=100, image_size=8)
batches = strategy.experimental_distribute_dataset(digits.train(1, 1))
parts = [strategy.experimental_local_results(y)[0].numpy().tolist() for _, y in batches]
print(json.dumps({"mine": parts, "whole": [y.tolist() for _, y in digits.train(1, 1).as_numpy_iterator()]}))
"""


@pytest.mark.slow
def test_two_workers_share_each_batch(ports, set_of_each_kind):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports(2)]}
    processes = []
    for index in range(2):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, set_of_each_kind],
                env={**os.environ, "TF_CONFIG": config},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs[0][1][-2000:]
    first, second = (json.loads(output) for output, _ in outputs)
    assert first["whole"] == second["whole"]
    assert [sorted(a + b) for a, b in zip(first["mine"], second["mine"], strict=True)] == [
        sorted(batch) for batch in first["whole"]
    ]
