"""Segmentation's figures against scikit-learn and Keras, its loss against a NumPy re-statement."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as reference
from sklearn.metrics import jaccard_score

from mobile_bnn import tasks
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.tasks.confusion import confusion_matrix
from mobile_bnn.tasks.segmentation_training import pixel_cross_entropy


def maps(seed: int, classes: int = 5) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Predictions and targets of images of different sizes; a tenth of the target pixels do not count."""
    generator = np.random.default_rng(seed)
    shapes = [(9, 7), (4, 4), (1, 1)]
    predictions = [generator.integers(0, classes, shape).astype(np.uint8) for shape in shapes]
    targets = [np.where(generator.random(one.shape) < 0.4, one, one[::-1]).astype(np.uint8) for one in predictions]
    for target in targets:
        target[generator.random(target.shape) < 0.1] = 255
    return predictions, targets


def flat(predictions: list[np.ndarray], targets: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    one, true = (np.concatenate([each.ravel() for each in part]) for part in (predictions, targets))
    return one[true != 255], true[true != 255]


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_scikit_learn(seed):
    predictions, targets = maps(seed)
    one, true = flat(predictions, targets)
    matrix = confusion_matrix(predictions, targets, ignored=255)
    np.testing.assert_array_equal(matrix, reference(true, one, labels=range(len(matrix))))
    task = tasks.create("segmentation")
    metrics = task.evaluate(predictions, targets)
    present = np.union1d(one, true)
    overlaps = jaccard_score(true, one, labels=present, average=None)
    assert metrics["mIoU"] == pytest.approx(overlaps.mean())
    assert metrics["pixel accuracy"] == pytest.approx((one == true).mean())
    assert task.evaluate_classes(predictions, targets) == pytest.approx(
        dict(zip(present.tolist(), overlaps, strict=True))
    )


@pytest.mark.parametrize("seed", range(3))
def test_training_counts_the_same(seed):
    predictions, targets = (part[0][None] for part in maps(seed))
    metric = tasks.create("segmentation").fitted((9, 7, 3), 5).training().metrics()[0]
    metric.update_state(targets, np.eye(5, dtype=np.float32)[predictions])
    expected = tasks.create("segmentation").evaluate(list(predictions), list(targets))
    assert float(metric.result()) == pytest.approx(expected["mIoU"], rel=1e-5)


def test_an_image_whose_pixels_do_not_count():
    empty = [np.full((3, 3), 255, np.uint8)]
    assert tasks.create("segmentation").evaluate([np.zeros((3, 3), np.uint8)], empty)["mIoU"] == 0


def test_the_loss_is_the_mean_over_pixels_that_count():
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 4, (3, 5, 6))
    targets[0, :2] = 255
    targets[2] = 255
    probabilities = generator.dirichlet(np.ones(4), targets.shape).astype(np.float32)
    expected = []
    for target, shares in zip(targets, probabilities, strict=True):
        counted = target != 255
        chosen = np.take_along_axis(shares, np.where(counted, target, 0)[..., None], -1)[..., 0]
        expected.append(-np.log(chosen[counted]).mean() if counted.any() else 0.0)
    loss = pixel_cross_entropy(tf.constant(targets), tf.constant(probabilities))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_the_most_probable_class_of_each_pixel():
    shares = np.random.default_rng(0).dirichlet(np.ones(3), (2, 4, 5)).astype(np.float32)
    found = tasks.create("segmentation").decode([shares])
    np.testing.assert_array_equal(found, shares.argmax(-1))
    assert found[0].dtype == np.uint8


def test_other_outputs_are_refused():
    task = tasks.create("segmentation")
    task.check_outputs([(1, 8, 8, 3)])
    for shapes in ([(1, 8, 3)], [(1, 8, 8, 3), (1, 2)], [(1, 8, 8, 300)]):
        with pytest.raises(MobileBnnError, match="the file's outputs are not those of a segmenter"):
            task.check_outputs(shapes)
