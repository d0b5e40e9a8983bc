"""The options of LCE's operators, from LCE's converter and from a liar."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from flatbuffers import flexbuffers
from hypothesis import given
from hypothesis import strategies as st

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import read_model
from mobile_bnn.runtime.lce import option


def test_options_are_what_the_layer_was_given(binary_tflite: Path) -> None:
    quantize, *bconvs = read_model(binary_tflite).subgraphs[0].operators[:3]
    assert [option(bconv, "channels_in") for bconv in bconvs] == [32, 64]
    assert [option(bconv, "pad_values") for bconv in bconvs] == [1, 1]
    with pytest.raises(MobileBnnError, match="option channels_in cannot be read: the file is malformed"):
        option(quantize, "channels_in")


@pytest.mark.parametrize("value", ["three", 1.5, [1, 2]])
def test_an_option_must_be_an_integer(binary_tflite: Path, value: object) -> None:
    bconv = read_model(binary_tflite).subgraphs[0].operators[1]
    bconv.customOptions = np.frombuffer(bytes(flexbuffers.Dumps({"channels_in": value})), np.uint8)
    with pytest.raises(MobileBnnError, match="channels_in cannot be read"):
        option(bconv, "channels_in")


@given(options=st.binary(max_size=64))
def test_any_bytes_are_an_integer_or_an_error(binary_tflite: Path, options: bytes) -> None:
    bconv = read_model(binary_tflite).subgraphs[0].operators[1]
    bconv.customOptions = np.frombuffer(options, np.uint8)
    with suppress(MobileBnnError):
        assert isinstance(option(bconv, "channels_in"), int)
