"""On how many samples a file is compared: eight, and fewer of a network whose tensors have very many elements."""

import re
from math import prod

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters import conversion
from mobile_bnn.converters.source import Source
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf

SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
BITS = 8 * 8 * 32  # of a sample before the binary layer


def network(pad=()):
    """One binary layer; `pad` lets LCE's converter shift it by a pixel."""
    tf.keras.utils.set_random_seed(3)
    stem = tf.keras.layers.Conv2D(32, 3, strides=2, padding="valid" if pad else "same", name="stem")
    binary = larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name="conv", **SIGN)
    return tf.keras.Sequential([tf.keras.layers.Input((16, 16, 3)), *pad, stem, binary])


def elements(model):
    """Of all tensors that operators of the float file make for one sample."""
    graph = Source.of(model, 1).model.graphs[0]
    return sum(prod(tensor.shape) for operator in graph.operators for tensor in operator.outputs)


@pytest.mark.parametrize(("fits", "compared"), [(100.0, 8), (8.0, 8), (7.9, 7), (3.5, 3), (2.0, 2), (0.5, 2), (0.0, 2)])
def test_fewer_where_that_many_do_not_fit(tmp_path, monkeypatch, fits, compared):
    model = network()
    monkeypatch.setattr(conversion, "_ELEMENTS", int(fits * elements(model)))
    (layer,) = converters.convert(model, tmp_path / "m.tflite").layers
    assert (layer.layer, layer.bits) == ("conv", compared * BITS)


def test_of_samples_that_are_given_the_first_ones(tmp_path, monkeypatch):
    model = network()
    samples = np.random.default_rng(0).normal(size=(6, 16, 16, 3)).astype(np.float32)
    monkeypatch.setattr(conversion, "_ELEMENTS", 3 * elements(model))
    (layer,) = converters.convert(model, tmp_path / "m.tflite", samples=samples).layers
    assert layer.bits == 3 * BITS
    (layer,) = converters.convert(model, tmp_path / "m.tflite", samples=samples[:1]).layers
    assert layer.bits == BITS


@pytest.mark.parametrize(("fits", "compared"), [(8, 8), (0, 2)])
def test_the_fewest_still_catch_a_wrong_file(tmp_path, monkeypatch, fits, compared):
    model = network(pad=[tf.keras.layers.ZeroPadding2D(1)])
    monkeypatch.setattr(conversion, "_ELEMENTS", fits * elements(model))
    with pytest.raises(MobileBnnError, match="does not compute what the float file computes: conv: ") as caught:
        converters.convert(model, tmp_path / "m.tflite", via="lce")
    (of,) = re.findall(r"\d+ of (\d+) input bits differ", str(caught.value))
    assert int(of) == compared * BITS
    assert not list(tmp_path.iterdir())
