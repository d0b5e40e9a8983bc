"""Larq Compute Engine's custom operators in a .tflite file: which they are, and how to read their options."""

from ai_edge_litert.schema_py_generated import OperatorT
from flatbuffers import flexbuffers

from mobile_bnn.errors import MobileBnnError

OPERATORS = ("LceQuantize", "LceDequantize", "LceBconv2d", "LceBMaxPool2d")
CHANNELS_PER_WORD = 32  # bit-packed tensors hold this many channels in each int32 of their last dimension


def option(operator: OperatorT, key: str) -> int:
    """One integer of an operator's flexbuffer map, e.g. channels_in, stride_height, pad_values.

    Raises:
        MobileBnnError: the options are not such a map, or the key is not in it.
    """
    try:
        # Only the one key is looked up: walking a whole map of an untrusted file could go in circles.
        value = flexbuffers.GetRoot(bytes(operator.customOptions)).AsMap[key]
        if not value.IsInt:
            raise TypeError(f"{key} is not an integer")
        return int(value.AsInt)
    # The flexbuffer reader raises whatever struct or Python's own types raise on offsets that lead nowhere.
    except Exception as error:
        raise MobileBnnError(f"an LCE operator's option {key} cannot be read", why="the file is malformed") from error
