"""PokeBNN: its counts, and its block and layers in plain NumPy."""

import numpy as np
import pytest
from block_formulas import batch_norm, conv, randomized, sign, weights_of

from mobile_bnn import methods, zoo
from mobile_bnn.layers.poke_bnn import DPReLU, FitChannels, HardSigmoid
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import counts
from mobile_bnn.zoo.blocks import poke_conv as poke_conv_block


def poke_conv(x, w, name, strides=1, block=None):
    """PokeConv as the paper's figure 2 and its authors' code have it, of weights by name, in float64."""
    kernel = w[f"{name}_conv"]["kernel"]
    bound = np.abs(kernel).max((0, 1, 2))
    y = conv(1.5 * sign(x), bound / 2 * sign(kernel), strides)
    y = batch_norm(y, w[f"{name}_conv_norm"], 1e-5) + fit(x, y.shape, strides, repeated=False)
    if block is not None:
        y = y + block
    p = w[f"{name}_dprelu"]
    shifted = y - p["before"]
    y = np.where(shifted >= 0, p["above"], p["below"]) * shifted - p["after"]
    squeeze, expand = w[f"{name}_squeeze"], w[f"{name}_expand"]
    gate = np.maximum(conv(x.mean((1, 2), keepdims=True), squeeze["kernel"]) + squeeze["bias"], 0)
    y = y * np.clip(conv(gate, expand["kernel"]) + expand["bias"] + 3, 0, 6) / 6
    return batch_norm(y, w[f"{name}_gated_norm"], 1e-5)


def fit(x, shape, strides, repeated):
    """A shortcut of the branch's shape: means of consecutive channels, copies or zeros; then means of 3x3 pixels."""
    own, wanted = x.shape[-1], shape[-1]
    if own > wanted:
        each = -(-own // wanted)
        x = np.pad(x, ((0, 0),) * 3 + ((0, each * wanted - own),))
        x = np.stack([x[..., i * each : (i + 1) * each].sum(-1) / each for i in range(wanted)], -1)
    elif repeated:
        x = x[..., np.arange(wanted) % own]
    else:
        x = np.pad(x, ((0, 0),) * 3 + ((0, wanted - own),))
    return x if strides == 1 else pooled(x)


def pooled(x):
    """The mean of the pixels of a 3x3 window that lie in the map, TensorFlow's SAME, stride 2 of an even size."""
    out = np.zeros((x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3]))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            out[:, i, j] = x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].mean((1, 2))
    return out


@pytest.mark.parametrize(("channels", "width", "strides"), [(16, 8, 1), (16, 6, 2), (32, 5, 1)])
def test_a_bottleneck_is_the_papers(channels, width, strides):
    tf.keras.utils.set_random_seed(2)
    image = tf.keras.layers.Input((8, 8, channels))
    block = poke_conv_block.bottleneck(image, methods.create("poke_bnn").padding_with(0.0), width, strides, "b")
    model = randomized(tf.keras.Model(image, block))
    x = np.random.default_rng(1).normal(size=(2, 8, 8, channels))
    w = weights_of(model)
    y = poke_conv(poke_conv(x, w, "b_1"), w, "b_2", strides)
    shortcut = fit(x, (*y.shape[:3], 4 * width), strides, repeated=True)
    expected = poke_conv(y, w, "b_3", block=shortcut)
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


def test_the_third_batch_norm_of_a_bottleneck_begins_with_0():
    model = zoo.build("pokebnn_small", "poke_bnn", (8, 8, 1), 3)
    zero = [x.name for x in model.layers if x.name.endswith("conv_norm") and not x.gamma.numpy().any()]
    assert zero == [f"group{group}_{block}_3_conv_norm" for group in (1, 2, 3) for block in (1, 2)]


@pytest.mark.parametrize(
    ("name", "binary_gigas", "float_megas"),
    [
        ("pokebnn_100", 3.61, 12.3),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in (("pokebnn_050", 0.91, 8.6), ("pokebnn_075", 2.03, 10.2), ("pokebnn_140", 7.04, 17))
        ),
    ],
)
def test_the_published_costs(name, binary_gigas, float_megas):
    """Of 1x to the digit, as the authors' test has them: ACE is the sum of MACs times the bits of both factors."""
    found = counts.of(zoo.build(name, "poke_bnn"))
    assert found.binary_convolutions == 48
    assert round(found.binary_macs / 1e9, 2) == binary_gigas
    assert round(found.float_macs / 1e6, 1 if float_megas < 17 else 0) == float_megas
    if name == "pokebnn_100":
        of = found.float_macs_by_layer
        gates = sum(macs for layer, macs in of.items() if layer.endswith(("squeeze", "expand")))
        stem = of["stem_1"] + of["stem_2"]
        assert found.binary_macs + 4 * 4 * gates + 8 * 8 * stem == 4_091_469_824
        assert 8 * 8 * of["logits"] == 131_072_000
        assert found.float_macs == gates + stem + of["logits"]


def test_layers_survive_saving(tmp_path):
    image = tf.keras.layers.Input((4, 4, 6))
    net = tf.keras.Model(image, HardSigmoid()(FitChannels(10, repeated=True)(DPReLU()(FitChannels(4)(image)))))
    net = randomized(net)
    net.save(tmp_path / "m.keras")
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 6)).astype(np.float32)
    np.testing.assert_array_equal(tf.keras.models.load_model(tmp_path / "m.keras")(x), net(x))


def test_maps_of_any_height_are_fitted():
    net = tf.keras.Sequential([FitChannels(2)])
    image = tf.keras.layers.Input((None, 3, 4))
    model = tf.keras.Model(image, net(image))
    x = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(model(x), x.reshape(1, 2, 3, 2, 2).mean(-1))
