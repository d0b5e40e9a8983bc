"""VOC and COCO of TensorFlow Datasets, in their real structure with random images, as TFDS's mock_data makes them."""

import numpy as np
import pytest

from mobile_bnn import data, tasks
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf  # noqa: F401 - before TFDS loads TensorFlow
from tests.support import tfds_sets

import tensorflow_datasets as tfds  # isort: skip
from tensorflow_datasets.testing import mocking  # isort: skip

SAMPLES = 12
SPLITS = ("train", "validation", "test")
BOXES = tasks.create("detection").training().augment
MASKS = tasks.create("segmentation").training().augment


class PlausibleObjects(mocking.EncodedRandomFakeGenerator):
    """TFDS's generator, whose objects would have features of different lengths and boxes that end before they begin."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options, constant_dynamic_shape=True)

    def _generate_random_obj(self, feature, *rest):
        found = super()._generate_random_obj(feature, *rest)
        if isinstance(feature, tfds.features.BBoxFeature):
            pairs = (found[..., :2], found[..., 2:])
            return np.concatenate([np.minimum(*pairs), np.maximum(*pairs)], -1)
        return found


@pytest.fixture
def mocked(tmp_path, monkeypatch):
    with tfds_sets.mocked(tmp_path, dict.fromkeys(("voc/2007", "coco/2017"), SPLITS), SAMPLES):
        monkeypatch.setattr(mocking, "EncodedRandomFakeGenerator", PlausibleObjects)
        yield


@pytest.mark.parametrize(  # the names of COCO's classes are downloaded with its annotations
    ("name", "classes", "third"), [("voc/2007", 20, "bird"), ("coco/2017", 80, "2")], ids=["voc", "coco"]
)
def test_images_with_boxes(mocked, name, classes, third):
    found = data.load(name, changes=BOXES, batch_size=8, image_size=48)
    info = found.info
    assert (info.num_classes, info.labels[2], info.input_shape) == (classes, third, (48, 48, 3))
    assert (info.train_size, info.validation_size, info.test_size) == (SAMPLES, SAMPLES, SAMPLES)
    images, rows = next(found.train().as_numpy_iterator())
    assert images.shape == (8, 48, 48, 3)
    assert rows.shape == (8, 64, 6)
    real = rows[rows[..., 4] >= 0]
    assert len(real)
    assert ((real[:, :4] >= 0) & (real[:, :4] <= 1)).all()
    assert (real[:, 2:4] >= real[:, :2]).all()
    assert (real[:, 4] < classes).all()
    np.testing.assert_array_equal(rows, next(found.train().as_numpy_iterator())[1])
    assert "random crop of 30%" in info.augmentation
    assert data.load(name, changes=BOXES).info.input_shape == (300, 300, 3)


def test_wrong_use_is_one_line(mocked):
    with pytest.raises(UsageError, match=r"coco/2017 of TensorFlow Datasets has no label maps that can be read. Take"):
        data.load("coco/2017", changes=MASKS)
    with pytest.raises(UsageError, match="svhn_cropped of TensorFlow Datasets is not for detection: its samples do"):
        data.load("svhn_cropped", changes=BOXES)
    with pytest.raises(UsageError, match=r"is not for image classification.*sets with boxes are for --task detection"):
        data.load("voc/2007")
