"""What a network costs, beside Larq's own profile and a count by hand."""

import pytest

from mobile_bnn import methods, zoo
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.zoo import counts


def macs(model, precision):
    profile = larq.models.ModelProfile(model)
    return sum(o.n for layer in profile.layer_profiles for o in layer.op_profiles if o.precision == precision)


@pytest.mark.parametrize("name", ["resnet20", "binary_net", "quicknet_small"])
def test_multiply_accumulates_are_larqs(name):
    size = max(zoo.get(name).smallest_input, 10)
    model = zoo.build(name, "bnn", (size, size, 3), 7)
    found = counts.of(model)
    assert (found.binary_macs, found.float_macs) == (macs(model, 1), macs(model, 32))
    assert found.parameters == model.count_params()


def test_glue_is_counted_by_hand():
    """A sign and a sum of 6·6·4 elements, a ReLU and a pooling; batch norms right after a convolution cost nothing."""
    image = tf.keras.layers.Input((6, 6, 4))
    layers = tf.keras.layers
    y = layers.BatchNormalization(name="n")(methods.create("bnn").conv2d(image, 4, 3, name="c"))
    x = layers.Add()([image, y])
    x = layers.MaxPooling2D(2)(layers.ReLU()(x))
    x = layers.Dense(5)(layers.Flatten()(layers.BatchNormalization()(x)))
    found = counts.of(tf.keras.Model(image, x))
    whole, pooled = 6 * 6 * 4, 3 * 3 * 4
    assert found.glue_visits == whole + whole + whole + whole + pooled
    assert (found.binary_macs, found.float_macs) == (6 * 6 * 3 * 3 * 4 * 4, 5 * pooled)
    assert found.binary_convolutions == 1
    assert found.parameters - found.inference_parameters == 2 * 4 + 2 * 4
    assert found.ideal_bytes == 3 * 3 * 4 * 4 // 8 + 4 * (2 * 4 + 2 * 4 + 5 * pooled + 5)


def test_what_a_layer_computes_several_times_counts_as_often():
    """CBCN's kernel holds a quarter of its filters."""
    image = tf.keras.layers.Input((4, 4, 8))
    model = tf.keras.Model(image, methods.create("cbcn").conv2d(image, 8, 3, name="c"))
    assert counts.of(model).binary_macs == 4 * 4 * 3 * 3 * 8 * 8
