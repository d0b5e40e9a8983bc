"""LCE's bit order, against the words that LCE's own LceQuantize writes."""

import numpy as np
import pytest

from mobile_bnn.converters.graph.bit_packing import pack, unpack


def test_bit_0_of_word_0_is_channel_0_and_set_bits_are_minus_one():
    words = np.array([[0b101, -(2**31)]], np.int32)
    bits = unpack(words, 64)
    assert bits.shape == (1, 64)
    assert np.flatnonzero(bits[0]).tolist() == [0, 2, 63]


def test_padding_bits_are_left_out():
    assert unpack(np.array([-1], np.int32), 5).tolist() == [True] * 5


def test_too_few_words():
    with pytest.raises(ValueError, match="1 words hold no 33 channels"):
        unpack(np.zeros((2, 1), np.int32), 33)


def test_agrees_with_lces_quantize(binary_tflite):
    from mobile_bnn.converters.graph.tflite import TfliteModel
    from mobile_bnn.converters.verification.instrument import BinaryOperator, InstrumentedModel, LceRunner

    x = np.random.default_rng(0).normal(size=(3, 8, 8, 32)).astype(np.float32)
    x[0, 0, 0, :3] = [0.0, -0.0, -1e-30]
    model = TfliteModel.read(binary_tflite)
    # The first convolution's input is LceQuantize of the image itself.
    quantize = next(operator for operator in model.graphs[0].operators if operator.op_type == "LceQuantize")
    instrumented = InstrumentedModel(model, [BinaryOperator(0, 0, 32, quantize.output, np.zeros(32, bool))], LceRunner)
    _, (bits,) = instrumented.run([x])
    np.testing.assert_array_equal(bits, x < 0)


@pytest.mark.parametrize("channels", [1, 31, 32, 33, 70])
def test_pack_is_the_reverse(channels):
    signs = np.random.default_rng(channels).random((2, 3, channels)) < 0.5
    words = pack(signs)
    assert words.shape == (2, 3, (channels + 31) // 32)
    np.testing.assert_array_equal(unpack(words, channels), signs)
    assert not unpack(words, words.shape[-1] * 32)[..., channels:].any()
