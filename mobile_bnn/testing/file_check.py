"""Checks the file that a method's model becomes."""

from pathlib import Path

from mobile_bnn import converters
from mobile_bnn.methods import Method


def check_file(method: Method, model: Path, path: Path) -> tuple[int, int]:
    """The file computes what Keras does, with every layer binary, or with none, as the method's class says.

    `convert` compares them, binary layers bit for bit.

    Returns:
        How many layers are binary in it, and how many LceBconv2d they became.
    """
    wanted = method.card.binary_convolutions
    conversion = converters.convert(model, path, allow_float=() if wanted else "all")
    assert not wanted or not conversion.float_layers, f"layers stay float in the file: {conversion.float_layers}"
    found = sum(operator.name == "LceBconv2d" for operator in conversion.operators.operators)
    layers = len(conversion.layers)
    assert found == wanted * layers, f"{layers} layers became {found} binary convolutions, not {wanted} each"
    return layers, found
