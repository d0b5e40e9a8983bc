"""The MeliusNets beside Larq Zoo's: counts, a block and a transition in plain NumPy, and how they become binary."""

import numpy as np
import pytest
from block_formulas import batch_norm, conv, randomized, sign, weights_of
from calibrated import calibrated

from mobile_bnn import converters, methods, zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import counts
from mobile_bnn.zoo.blocks import dense_stages, melius_stages


def new_channels(x, w, name):
    """64 channels of the signs of a batch norm; -1 around, as BMXNet has it."""
    signs = sign(batch_norm(x, w[f"{name}_norm"]))
    return conv(signs, sign(w[f"{name}_conv"]["kernel"]), pads="symmetric", pad_value=-1.0)


def test_a_block_is_the_papers():
    tf.keras.utils.set_random_seed(3)
    method, image = methods.create("bnn").padding_with(-1.0), tf.keras.layers.Input((4, 4, 96))
    net = melius_stages.improve(dense_stages.append(image, method, "d"), method, "i")
    model = randomized(tf.keras.Model(image, net))
    x, w = np.random.default_rng(1).normal(size=(2, 4, 4, 96)), weights_of(model)
    y = np.concatenate([x, new_channels(x, w, "d")], -1)
    expected = np.concatenate([y[..., :96], y[..., 96:] + new_channels(y, w, "i")], -1)
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("groups", "shuffled"), [(1, False), (4, True)])
def test_a_transition_is_the_papers(groups, shuffled):
    tf.keras.utils.set_random_seed(3)
    image = tf.keras.layers.Input((4, 4, 32))
    model = tf.keras.Model(image, melius_stages.grouped_transition(groups, shuffled)(image, 16, "t"))
    model = randomized(model)
    x, w = np.random.default_rng(1).normal(size=(2, 4, 4, 32)), weights_of(model)
    y = batch_norm(x, w["t_norm"]).reshape(2, 2, 2, 2, 2, 32).max((2, 4)).clip(0)
    if shuffled:  # channel i of group g goes to place 16·i + g
        y = np.stack([y[..., (c % 16) * 2 + c // 16] for c in range(32)], -1)
    expected = conv(y, w["t"]["kernel"], groups=groups)
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "binary_gigas", "float_megas", "operations", "convolutions", "megabytes"),
    [
        ("meliusnet_c", 4.35, 83, 1.51, 48, 4.7),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in (
                ("meliusnet29", 5.47, 129, 2.15, 48, 5.3),
                ("meliusnet42", 9.69, 175, 3.27, 74, 10.6),
                ("meliusnet59", 18.32, 247, 5.33, 108, 18.2),
                ("meliusnet_a", 4.85, 87, 1.63, 40, 4.2),
                ("meliusnet_b", 5.72, 107, 1.97, 48, 5.2),
            )
        ),
    ],
)
def test_the_published_costs(name, binary_gigas, float_megas, operations, convolutions, megabytes):
    found = counts.of(zoo.build(name, "bnn"))
    assert found.binary_convolutions == convolutions
    assert round(found.binary_macs / 1e9, 2) == binary_gigas
    assert round(found.float_macs / 1e6) == float_megas
    assert round(found.operations / 1e8, 2) == operations
    assert round(found.ideal_bytes / 1e6, 1) == megabytes


def test_it_becomes_binary(tmp_path):
    tf.keras.utils.set_random_seed(1)
    image, method = tf.keras.layers.Input((8, 8, 64)), methods.create("bnn").padding_with(-1.0)
    between = melius_stages.grouped_transition(4, True)
    stages = melius_stages.melius_stages(image, method, (1, 1, 1, 1), (64, 64, 64), between)
    model = calibrated(tf.keras.Model(image, stages[32]))
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert not conversion.float_layers
    assert len(conversion.layers) == 8
