"""Detection's parts against NumPy re-statements of SSD's formulas, hand-made cases, TensorFlow and pycocotools."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_bnn import tasks
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.tasks import detection_losses
from mobile_bnn.tasks.anchors import Anchors, decode, encode
from mobile_bnn.tasks.average_precision import average_precisions
from mobile_bnn.tasks.boxes import intersection_over_union
from mobile_bnn.tasks.detection_matching import matched_targets
from mobile_bnn.tasks.suppression import Detections, detections, suppressed

ANCHORS = Anchors([[4, 6], [2, 3]], 0.2, 0.6, [1.0, 2.0, 0.5])


def boxes_of(generator: np.random.Generator, count: int) -> np.ndarray:
    low = generator.random((count, 2)) * 0.7
    return np.concatenate([low, low + 0.05 + generator.random((count, 2)) * 0.25], 1).astype(np.float32)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    height = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    width = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return height * width / (sum(areas) - height * width)


def test_anchors_are_those_of_the_paper():
    """Liu et al. 2016, section 2.2: s_k grows linearly, w = s√a, h = s/√a, one more of √(s_k s_{k+1})."""
    expected = []
    for (rows, columns), scale, larger in (((4, 6), 0.2, 0.6), ((2, 3), 0.6, 1.0)):
        for row in range(rows):
            for column in range(columns):
                center = [(row + 0.5) / rows, (column + 0.5) / columns]
                expected += [[*center, scale / math.sqrt(a), scale * math.sqrt(a)] for a in (1.0, 2.0, 0.5)]
                expected += [[*center, math.sqrt(scale * larger), math.sqrt(scale * larger)]]
    assert ANCHORS.count == len(expected) == (24 + 6) * 4
    np.testing.assert_allclose(ANCHORS.centers(), expected, rtol=1e-6)
    one = Anchors([[1, 1]], 0.5, 0.5, [1.0]).centers()
    np.testing.assert_allclose(one, [[0.5, 0.5, 0.5, 0.5]] * 2)


@given(st.integers(0, 2**32 - 1))
def test_decode_is_the_inverse_of_encode(seed):
    generator = np.random.default_rng(seed)
    boxes, centers = boxes_of(generator, 30), ANCHORS.centers()[generator.integers(0, ANCHORS.count, 30)]
    np.testing.assert_allclose(decode(encode(boxes, centers), centers), boxes, atol=2e-6)


def test_encoding_is_that_of_the_paper():
    box, anchor = np.array([[0.1, 0.2, 0.5, 0.4]]), np.array([[0.25, 0.25, 0.2, 0.4]])
    expected = [
        (0.3 - 0.25) / 0.2 / 0.1,
        (0.3 - 0.25) / 0.4 / 0.1,
        math.log(0.4 / 0.2) / 0.2,
        math.log(0.2 / 0.4) / 0.2,
    ]
    np.testing.assert_allclose(encode(box, anchor)[0], expected, rtol=1e-5)


def test_offsets_of_a_damaged_network_stay_finite():
    moved = decode(np.array([[1e30, -1e30, 1e30, -1e30]], np.float32), ANCHORS.centers()[:1])
    assert np.isfinite(moved).all()
    task = tasks.create("detection", strides=[8]).fitted((16, 16, 3), 2)
    count = task.anchors.count
    outputs = [np.full((1, count, 4), np.nan, np.float32), np.full((1, count, 3), np.nan, np.float32)]
    assert len(task.decode(outputs)[0].scores) == 0


@given(st.integers(0, 2**32 - 1))
def test_overlaps(seed):
    generator = np.random.default_rng(seed)
    one, other = boxes_of(generator, 5), boxes_of(generator, 7)
    expected = [[overlap(a, b) for b in other] for a in one]
    np.testing.assert_allclose(intersection_over_union(one, other), expected, atol=1e-5)
    assert intersection_over_union(np.zeros((1, 4)), np.zeros((1, 4))) == 0


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.2, 0.45, 0.7]))
def test_suppression_is_tensorflows(seed, threshold):
    generator = np.random.default_rng(seed)
    boxes, scores = boxes_of(generator, 25), generator.permutation(25).astype(np.float32)
    expected = tf.image.non_max_suppression(boxes, scores, 25, iou_threshold=threshold).numpy()
    assert suppressed(boxes, scores, threshold) == list(expected)


def test_detections_are_of_all_classes_best_first():
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.48], [0.6, 0.6, 1.2, 0.9]], np.float32)
    scores = np.array([[0.1, 0.8, 0.1], [0.2, 0.7, 0.6], [0.5, 0.05, 0.45]], np.float32)
    found = detections(boxes, scores, threshold=0.3, overlap=0.5, most=10)
    assert found.classes.tolist() == [0, 1, 1]
    np.testing.assert_allclose(found.scores, [0.8, 0.6, 0.45])
    np.testing.assert_allclose(found.boxes[2], [0.6, 0.6, 1.0, 0.9], err_msg="cut off at the border")
    assert len(detections(boxes, scores, threshold=0.3, overlap=0.5, most=2).scores) == 2
    assert detections(boxes, scores, threshold=0.9, overlap=0.5, most=2).boxes.shape == (0, 4)
    outside = detections(np.add(boxes, [1, 0, 1, 0]), scores, threshold=0.3, overlap=0.5, most=10)
    assert len(outside.scores) == 0, "nothing of them is in the image"


def matched_by_hand(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SSD's matching, anchor by anchor."""
    boxes, centers = ANCHORS.boxes(), ANCHORS.centers()
    owner = [-1] * len(boxes)
    for anchor, box in enumerate(boxes):
        overlaps = [overlap(row[:4], box) if row[4] >= 0 else -1 for row in rows]
        if max(overlaps) >= 0.5:
            owner[anchor] = int(np.argmax(overlaps))
    for number, row in enumerate(rows):
        if row[4] >= 0:
            owner[int(np.argmax([overlap(row[:4], box) for box in boxes]))] = number
    classes = [0 if each < 0 else -1 if rows[each][5] else int(rows[each][4]) + 1 for each in owner]
    offsets = np.zeros((len(boxes), 5), np.float32)
    for anchor, each in enumerate(owner):
        if classes[anchor] > 0:
            offsets[anchor, :4] = encode(rows[each][None, :4], centers[anchor : anchor + 1])[0]
            offsets[anchor, 4] = 1
    return offsets, np.array(classes)


def test_matching_is_ssds():
    generator = np.random.default_rng(5)
    batch = np.zeros((6, 4, 6), np.float32)
    for number, rows in enumerate(batch):
        rows[:, :4] = boxes_of(generator, 4)
        rows[:, 4] = generator.integers(0, 3, 4)
        rows[number:, 4] = -1  # the first image is empty
        rows[0, 5] = number == 3
    offsets, classes = (each.numpy() for each in matched_targets(tf.constant(batch), ANCHORS))
    for number, rows in enumerate(batch):
        expected = matched_by_hand(rows)
        np.testing.assert_array_equal(classes[number], expected[1])
        np.testing.assert_allclose(offsets[number], expected[0], atol=1e-4)
    assert not classes[0].any()
    assert (classes[3] == -1).any()
    assert (classes > 0).any(1)[1:].all()


def test_losses_are_those_of_the_paper():
    generator = np.random.default_rng(6)
    classes = np.array([[1, 0, 0, 0, 0, 0, -1, 0], [0, 0, 0, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, -1, 0, 0]], np.int32)
    probabilities = generator.dirichlet(np.ones(3), classes.shape).astype(np.float32)
    loss = detection_losses.scores_loss(2.0)(tf.constant(classes), tf.constant(probabilities)).numpy()
    for image, (labels, shares) in enumerate(zip(classes, probabilities, strict=True)):
        positive = [-math.log(share[label]) for label, share in zip(labels, shares, strict=True) if label > 0]
        background = sorted((-math.log(share[0]) for label, share in zip(labels, shares, strict=True) if label == 0))
        hardest = background[::-1][: 2 * max(1, len(positive))]
        assert loss[image] == pytest.approx((sum(positive) + sum(hardest)) / max(1, len(positive)), rel=1e-5)

    wanted, given_ = generator.normal(0, 2, (2, 8, 4)), generator.normal(0, 2, (2, 8, 4))
    counts = (classes[:2] > 0).astype(np.float32)
    targets = np.concatenate([wanted, counts[..., None]], -1).astype(np.float32)
    loss = detection_losses.boxes_loss(tf.constant(targets), tf.constant(given_.astype(np.float32))).numpy()
    apart = np.abs(wanted - given_)
    smooth = np.where(apart < 1, apart**2 / 2, apart - 0.5).sum(-1) * counts
    np.testing.assert_allclose(loss, smooth.sum(1) / np.maximum(counts.sum(1), 1), rtol=1e-5)


def test_class_accuracy_counts_anchors_with_an_object():
    classes = np.array([[1, 2, 0, -1], [0, 0, 0, 0]], np.int32)
    probabilities = np.eye(3, dtype=np.float32)[[[1, 1, 2, 0], [1, 1, 1, 1]]]
    assert detection_losses.class_accuracy(classes, probabilities).numpy().tolist() == [0.5, 1.0]


def found(*rows: tuple[float, ...]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def test_average_precision_of_cases_made_by_hand():
    target = np.array([[0, 0, 0.5, 0.5, 0, 0], [0.5, 0.5, 1, 1, 0, 0], [0, 0, 0, 0, -1, 0]], np.float32)
    right, other = (0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1)
    task = tasks.create("detection")

    def headline(*rows: tuple[float, ...]) -> float:
        return task.evaluate([found(*rows)], [target])["mAP@0.5"]

    assert headline((*right, 0.9, 0), (*other, 0.8, 0)) == pytest.approx(1)
    assert headline((*right, 0.9, 0)) == pytest.approx(51 / 101)  # recalls 0, 0.01 … 0.5
    assert headline() == 0
    assert headline((*right, 0.9, 1), (*other, 0.8, 1)) == 0
    # A wrong one between: precision 1 up to recall 0.5, then 2/3.
    between = headline((*right, 0.9, 0), (0, 0.6, 0.2, 0.9, 0.85, 0), (*other, 0.8, 0))
    assert between == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert headline((*right, 0.9, 0), (*right, 0.85, 0), (*other, 0.8, 0)) == pytest.approx(between), "found twice"


def test_ignored_objects_count_neither_way():
    target = np.array([[0, 0, 0.5, 0.5, 0, 0], [0.5, 0.5, 1, 1, 0, 1]], np.float32)
    ap = average_precisions([found((0.5, 0.5, 1, 1, 0.95, 0), (0, 0, 0.5, 0.5, 0.9, 0))], [target])
    assert ap[0][0] == pytest.approx(1)
    assert average_precisions([found()], [target[1:]]) == {}


def test_classes_and_stricter_overlaps():
    target = np.array([[0, 0, 0.5, 0.5, 0, 0], [0.5, 0.5, 1, 1, 2, 0]], np.float32)
    predictions = [found((0, 0, 0.5, 0.4, 0.9, 0), (0.5, 0.5, 1, 1, 0.9, 2), (0, 0, 1, 1, 0.9, 1))]
    task = tasks.create("detection")
    assert task.evaluate_classes(predictions, [target]) == {0: pytest.approx(1), 2: pytest.approx(1)}
    metrics = task.evaluate(predictions, [target])
    assert metrics["mAP@0.5"] == pytest.approx(1)
    assert metrics["mAP@0.5:0.95"] == pytest.approx((7 / 10 + 1) / 2), "an overlap of 0.8 counts up to 0.80"


def test_agreement_pairs_the_same_objects():
    task = tasks.create("detection")
    one = [found((0, 0, 0.5, 0.5, 0.9, 0), (0.5, 0.5, 1, 1, 0.6, 1)), found()]
    other = [found((0, 0, 0.5, 0.45, 0.7, 0), (0.5, 0.5, 1, 1, 0.6, 0), (0, 0, 1, 1, 0.1, 0)), found()]
    assert task.agreement(one, one) == 1
    assert task.agreement(one, other) == task.agreement(other, one) == pytest.approx(2 / 4)
    limit = [found((0, 0, 0.5, 0.5, 0.9, 0), (0.5, 0.5, 1, 1, 0.45, 1)), found()]
    assert task.agreement(one, limit) == 1
    assert task.agreement([found()], [found()]) == 1


def test_strides_follow_from_the_images_size():
    task = tasks.create("detection")
    assert task.fitted((64, 64, 3), 6).strides == [4, 8, 16]
    assert task.fitted((300, 300, 3), 6).strides == [16, 32, 64, 128]
    assert task.fitted((96, 64, 3), 6).maps == [[24, 16], [12, 8], [6, 4], [3, 2]]
    assert task.fitted((30, 30, 3), 6).maps == [[15, 15], [8, 8], [4, 4]]


def test_which_backbones_fit():
    by_size, fixed = tasks.create("detection"), tasks.create("detection", strides=[8, 16])
    assert by_size.fits([4, 8, 16, 32])
    assert not by_size.fits([4, 16])
    assert not by_size.fits([])
    assert fixed.fits([4, 8, 16])
    assert fixed.fits([1, 2, 4]), "coarser maps are made of the deepest"
    assert not fixed.fits([4, 32])
    segmentation = tasks.create("segmentation", output_stride=8)
    assert segmentation.fits([4, 8, 16, 32])
    assert segmentation.fits([1, 2, 4])
    assert not segmentation.fits([4, 16])
    coarse = tasks.create("segmentation", output_stride=4, coarsest_stride=16)
    assert coarse.strides_of([4, 8, 16, 32]) == [4, 8, 16]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strides": [8, 24]}, "strides: each must be twice the one before, such as strides="),
        ({"strides": []}, "strides: needs at least one"),
        ({"smallest": 0.5, "largest": 0.4}, "largest: must not be less than smallest"),
        ({"ratio": [1.0]}, "unknown field of task detection 'ratio'. Did you mean ratios"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        tasks.create("detection", "recipe", **options)


def test_other_outputs_are_refused():
    task = tasks.create("detection").fitted((64, 64, 3), 6)
    task.check_outputs([(1, 1344, 4), (1, 1344, 7)])
    for shapes in (
        [(1, 1344, 4)],
        [(1, 10, 4), (1, 10, 7)],
        [(1, 1344, 4), (1, 1344, 1)],
        [(1, 1344, 5), (1, 1344, 7)],
    ):
        with pytest.raises(MobileBnnError, match="the file's outputs are not those of a detector"):
            task.check_outputs(shapes)
    with pytest.raises(MobileBnnError, match="its metadata tell of 0 anchors"):
        tasks.create("detection").check_outputs([(1, 1344, 4), (1, 1344, 7)])
