"""What may be changed about an architecture: width, shortcuts, and the order of pooling and batch norm."""

import numpy as np
import pytest

from mobile_bnn import converters, methods, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf


def binary_layers(model):
    return [layer for layer in model.layers if getattr(layer, "kernel_quantizer", None)]


@pytest.mark.parametrize("name", ["resnet20", "birealnet18", "binary_resnet_e18", "binary_net", "binary_lenet"])
def test_a_width_multiplies_filters(name):
    size = max(32, zoo.get(name).smallest_input)
    own, wide = (zoo.build(name, "bnn", (size, size, 3), 4, network={"width": width}) for width in (1.0, 1.5))
    for layer, wider in zip(binary_layers(own), binary_layers(wide), strict=True):
        if "dense" not in layer.name:
            assert wider.filters == round(1.5 * layer.filters)
    assert zoo.build(name, "bnn", (size, size, 3), 4).count_params() == own.count_params()


def test_doubled_layers_between_doubled_layers_have_four_times_the_weights():
    """WRPN's arithmetic."""
    own, wide = (zoo.build("resnet20", network={"width": width}).get_layer("stage2_3_conv") for width in (1.0, 2.0))
    assert wide.count_params() == 4 * own.count_params() == 4 * 3 * 3 * 32 * 32


def test_shortcuts_can_be_left_out():
    with_them, without = (zoo.build("resnet20", network={"shortcuts": each}) for each in (True, False))
    adds = [sum(isinstance(layer, tf.keras.layers.Add) for layer in model.layers) for model in (with_them, without)]
    assert adds == [18, 0]
    assert [layer.filters for layer in binary_layers(without)] == [layer.filters for layer in binary_layers(with_them)]


def test_a_method_that_needs_shortcuts_refuses_a_network_without():
    class Residual(methods.get("bnn")):
        needs = zoo.SHORTCUT

    with pytest.raises(UsageError, match=r"Leave network\.shortcuts true"):
        zoo.build("resnet20", Residual(), (8, 8, 3), 3, network={"shortcuts": False})


@pytest.mark.parametrize(("name", "pool"), [("binary_net", "conv2_pool"), ("binary_lenet", "pool1")])
def test_the_order_of_pooling_and_norm(name, pool):
    size = max(16, zoo.get(name).smallest_input)
    before, after = (
        zoo.build(name, "bnn", (size, size, 1), 3, network={"order": order}) for order in ("pool_norm", "norm_pool")
    )
    norm = tf.keras.layers.BatchNormalization

    def reads(model):
        return isinstance(model.get_layer(pool).input._keras_history.layer, norm)

    assert not reads(before)
    assert reads(after)
    assert before.count_params() == after.count_params()
    # With factors of 1, which they begin with, both orders compute the same; a negative one turns maxima to minima.
    x = np.random.default_rng(0).normal(size=(2, size, size, 1)).astype(np.float32)
    after.set_weights(before.get_weights())
    np.testing.assert_allclose(before(x), after(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("padding", "value"), [("published", 0.0), ("fast", 1.0)])
def test_published_networks_pad_as_published_or_fast(padding, value):
    model = zoo.build("binary_resnet_e18", "bnn", (32, 32, 3), 3, network={"padding": padding})
    assert {layer.pad_values for layer in binary_layers(model)} == {value}


def test_bi_real_net_as_its_authors_built_it():
    ours, theirs = (zoo.build("birealnet18", "bi_real", (32, 32, 3), 3, network={"lineage": each}) for each in LINEAGES)
    assert ours.count_params() == theirs.count_params()
    assert [layer.name for layer in binary_layers(ours)] == [layer.name for layer in binary_layers(theirs)]
    epsilons = [{layer.epsilon for layer in m.layers if hasattr(layer, "epsilon")} for m in (ours, theirs)]
    assert epsilons == [{1e-3}, {1e-5}]


LINEAGES = ("larq_zoo", "pytorch")


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("resnet20", {"width": 0.5, "shortcuts": False}),
        ("binary_lenet", {"width": 0.5, "order": "norm_pool"}),
    ],
)
def test_changed_networks_become_binary(name, network, tmp_path):
    tf.keras.utils.set_random_seed(1)
    model = zoo.build(name, "bnn", (8, 8, 3), 4, network=network)
    conversion = converters.convert(model, tmp_path / "model.tflite")
    assert not conversion.float_layers


@pytest.mark.parametrize(
    ("name", "network", "message"),
    [
        ("resnet20", {"widht": 2.0}, "unknown field of network options 'widht'. Did you mean width?"),
        ("resnet20", {"width": 0.0}, "network.width: Input should be greater than 0"),
        ("binary_net", {"order": "first"}, "network.order: "),
        ("quicknet", {"width": 2.0}, "quicknet has no options such as width. Choose one of "),
        ("quicknet", {"depth": 2}, "quicknet has no options such as depth. Leave the section network out"),
    ],
)
def test_mistakes_are_named(name, network, message):
    with pytest.raises(UsageError) as error:
        zoo.build(name, network=network)
    assert message in str(error.value)
