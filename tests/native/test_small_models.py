"""The zoo's later networks from our converter: every binary layer is binary, and LCE's interpreter agrees."""

from pathlib import Path

import pytest
from ai_edge_litert.interpreter import Delegate
from calibrated import calibrated
from model_equality import equals_lce

from mobile_bnn import converters, zoo
from mobile_bnn.typing import Options

_NARROW = {"width": 0.25}
# One of each family, and what makes it small.
FAMILIES: dict[str, Options] = {
    "adabin_resnet18": _NARROW,
    "bnext_t": _NARROW,
    "groupnet_resnet18": {"bases": 2},
    "irnet_resnet20": {},
    "meliusnet_c": {},
    "nasbnn": {"depths": [1, 1, 1, 2, 1], "kernels": [3, 3, 5, 3, 3]},
    "nin": {},
    "pokebnn_small": {},
    "reactnet_small": {},
    "vgg11": _NARROW,
}
# Which differ from these in depth, in width, or in what their float layers are.
MEMBERS: dict[str, Options] = {
    "ab_reactnet_a": _NARROW,
    "ab_resnet18": {},
    "adabin_resnet20": {},
    "birealnet34": _NARROW,
    "bnext_l": {"width": 0.125},
    "bnext_m": {"width": 0.125},
    "bnext_s": {"width": 0.125},
    "fracbnn": {"width": 0.125},
    "irnet_resnet18": {},
    "meliusnet29": {},
    "meliusnet42": {},
    "meliusnet59": {},
    "meliusnet_a": {},
    "meliusnet_b": {},
    "pokebnn_050": {},
    "pokebnn_075": {},
    "pokebnn_100": {"multiplier": 0.25},
    # LCE's reference kernel refuses zeros around an odd number of channels, which 1.4 gives (89 and 179).
    "pokebnn_140": {"multiplier": 0.345},
    "reactnet_18": _NARROW,
    "reactnet_a": _NARROW,
    "reactnet_b": _NARROW,
    "reactnet_c": _NARROW,
    "recu_resnet18": {},
    "recu_resnet20": {},
    "resnet18": _NARROW,
    "resnet34": _NARROW,
    "vgg_small": _NARROW,
}


def _check(name: str, network: Options, delegates: dict[str, Delegate], folder: Path) -> None:
    from mobile_bnn.legacy_keras import tf
    from mobile_bnn.training import Recipe
    from mobile_bnn.zoo import counts

    tf.keras.utils.set_random_seed(1)
    size = max(zoo.get(name).smallest_input, 16)
    method = Recipe.of_zoo(name).method
    model = calibrated(zoo.build(name, method, (size, size, 3), 10, network=network))
    conversion = converters.convert(model, folder / "m.tflite")
    assert not conversion.float_layers
    binary = [each for each in conversion.operators.operators if each.name == "LceBconv2d"]
    assert len(binary) == counts.of(model).binary_convolutions * (method.card.bconvs or 1)
    assert equals_lce(conversion.path.read_bytes(), delegates, model.input_shape)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_equals_lce(name: str, delegates: dict[str, Delegate], tmp_path: Path) -> None:
    _check(name, FAMILIES[name], delegates, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", MEMBERS)
def test_its_members_equal_lce(name: str, delegates: dict[str, Delegate], tmp_path: Path) -> None:
    _check(name, MEMBERS[name], delegates, tmp_path)
