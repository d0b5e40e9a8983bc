"""The heads of detection and segmentation on backbones of several shapes: sizes, strides, binary layers, refusals."""

import numpy as np
import pytest

from mobile_bnn import tasks, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.methods import create
from mobile_bnn.tasks.head_blocks import merged_maps
from mobile_bnn.tasks.training_task import Features


def binary_layers(model: object) -> list[str]:
    return [layer.name for layer in model.layers if isinstance(layer, larq.layers.QuantConv2D)]


@pytest.mark.parametrize(
    ("name", "size", "strides"),
    [("quicknet_small", 64, [4, 8, 16]), ("resnet20", 30, [2, 4, 8]), ("resnet20", 96, None)],
)
def test_a_detector_has_a_row_for_each_anchor(name, size, strides):
    task = tasks.create("detection", width=16).fitted((size, size, 3), 5)
    assert strides in (None, task.strides)
    model = zoo.build(name, "bi_real", (size, size, 3), 5, task=task)
    count = task.anchors.count
    assert model.output_names == ["boxes", "scores"]
    assert model.output_shape == [(None, count, 4), (None, count, 6)]
    heads = [layer for layer in binary_layers(model) if layer.startswith("head")]
    assert len(heads) >= 2 * len(task.strides)
    sums = model.predict(np.zeros((1, size, size, 3), np.float32), verbose=0)[1].sum(-1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_rows_are_in_the_order_of_the_anchors():
    """A map that tells its own cells' numbers comes out in the order in which anchors are counted."""
    task = tasks.create("detection", strides=[8, 16], ratios=[1.0], width=8).fitted((32, 48, 3), 2)
    features = Features({8: tf.keras.Input((4, 6, 8)), 16: tf.keras.Input((2, 3, 8))})
    boxes, _ = task.training().outputs(features, create("bi_real"), 2, None)
    model = tf.keras.Model(list(features.values()), boxes)
    for stride, (rows, columns), per_cell in ((8, (4, 6), 2), (16, (2, 3), 2)):
        # Only the bias of the prediction is left, one number for each anchor of a cell.
        layer = model.get_layer(f"boxes{stride}")
        bias = np.arange(per_cell * 4, dtype=np.float32) + 100 * stride
        layer.set_weights([np.zeros_like(layer.kernel), bias])
        assert layer.output_shape == (None, rows, columns, per_cell * 4)
    found = model.predict([np.zeros((1, 4, 6, 8)), np.zeros((1, 2, 3, 8))], verbose=0)[0]
    sizes = task.anchors.centers()[:, 2]
    for row, size in zip(found, sizes, strict=True):
        stride = 8 if row[0] < 1600 else 16
        first_of_its_cell = row[0] == 100 * stride
        assert size == pytest.approx((0.2 if stride == 8 else 0.9) if first_of_its_cell else size)
    np.testing.assert_array_equal(found[:2, 0], [800, 804])
    assert (found[:48, 0] < 1600).all()
    assert (found[48:, 0] >= 1600).all()


@pytest.mark.parametrize(
    ("name", "size", "options"),
    [
        ("binary_densenet37_dilated", 64, {"output_stride": 8}),
        ("resnet20", 20, {"output_stride": 4}),
        ("resnet20", 30, {"output_stride": 8}),
    ],
)
def test_a_segmenter_has_a_class_for_each_pixel(name, size, options):
    model = zoo.build(name, "bnn", (size, size, 3), 4, task=tasks.create("segmentation", width=16, **options))
    assert model.output_shape == (None, size, size, 4)
    dilations = {layer.dilation_rate[0] for layer in model.layers if layer.name.startswith("head_a_rate")
                 and isinstance(layer, larq.layers.QuantConv2D)}  # fmt: skip
    assert dilations == {1, 2, 4}


def test_coarsest_maps_can_be_left_out():
    whole, part = (
        zoo.build(
            "quicknet_small", "bnn", (64, 64, 3), 4, task=tasks.create("segmentation", output_stride=4, **options)
        )
        for options in ({}, {"coarsest_stride": 16})
    )
    assert part.count_params() < whole.count_params() / 3


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(UsageError, match=r"the network has no map of stride 2: its maps have the strides 4, 8, 16, 32"):
        zoo.build("quicknet_small", "bnn", (64, 64, 3), 4, task=tasks.create("detection", strides=[2, 4]))
    with pytest.raises(UsageError, match=r"map of stride 2 has 9 × 9 pixels, not 10 × 10. Choose a size of images"):
        zoo.build("binary_lenet", "bnn", (19, 19, 3), 4, task=tasks.create("detection", strides=[2]))
    maps = Features({1: tf.keras.Input((7, 7, 4)), 2: tf.keras.Input((3, 3, 4))})
    with pytest.raises(UsageError, match=r"maps of 7 and 3 rows do not fit each other: it rounds down where it halves"):
        merged_maps(maps, [1, 2], 8, create("bi_real"), "head")
