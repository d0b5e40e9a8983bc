"""Checks the file that a method's model becomes."""

from pathlib import Path

from mobile_bnn import converters
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.methods import Method


def check_file(method: Method, model: Path, path: Path) -> tuple[int, int]:
    """The file computes what Keras does, with every layer binary; `convert` compares them bit for bit.

    Returns:
        How many layers are binary in it, and how many LceBconv2d they became.
    """
    wanted, deploy_class = method.card.binary_convolutions, method.card.deploy_class
    if wanted:
        conversion = converters.convert(model, path)
        assert not conversion.float_layers, f"layers stay float in the file: {conversion.float_layers}"
        found = sum(operator.name == "LceBconv2d" for operator in conversion.operators.operators)
        layers = len(conversion.layers)
        assert found == wanted * layers, f"{layers} layers became {found} binary convolutions, not {wanted} each"
        return layers, found
    try:
        converters.convert(model, path)
    except MobileBnnError:
        return 0, 0
    raise AssertionError(f"a method of the deploy class {deploy_class!r} has binary layers in the file")
