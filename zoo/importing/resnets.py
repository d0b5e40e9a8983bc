"""PyTorch checkpoints of ResNets: Bi-Real Net's, ReActNet's of ResNet-18, IR-Net's and ReCU's.

Our layer `stage2_1_conv` is the first binary convolution of the second stage. Bi-Real Net and ReActNet call a block
what has one convolution, layer2.0; IR-Net and ReCU what has two: layer2.0.conv1, layer2.0.conv2.
"""

import re
from collections.abc import Mapping

from mobile_bnn.typing import Json, KerasLayer, KerasModel
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.importing.matching import Slot
from mobile_bnn.zoo.importing.publications import Publication
from mobile_bnn.zoo.importing.torch_layers import Namer, Stored, conv, counted, dense, norm, rows_of, slots_of

_STAGE = re.compile(r"stage(\d)_(\d+)_(\w+)")


def _ends(layer: KerasLayer, last: str, last_norm: str = "") -> Mapping[str, Stored] | None:
    """The first and the last layers, which all have alike."""
    names = {
        "stem": conv("conv1"),
        "stem_norm": norm("bn1"),
        "stem_maxout": _maxout("nonlinear1"),
        "logits": dense(last),
        "pool_norm": norm(last_norm),
    }
    return names.get(layer.name)


def _maxout(prefix: str) -> Mapping[str, Stored]:
    return {"above": Stored((f"{prefix}.pos_scale",)), "below": Stored((f"{prefix}.neg_scale",))}


def _of_stage(layer: KerasLayer) -> tuple[int, int, str]:
    """Stage and number of the convolution, both from 1, and what belongs to it."""
    found = _STAGE.fullmatch(layer.name)
    if not found:
        raise LookupError(layer.name)
    return int(found[1]), int(found[2]), found[3]


def _one_conv_a_block(weight: str, *, flat: bool) -> Namer:
    def namer(layer: KerasLayer) -> Mapping[str, Stored]:
        if ends := _ends(layer, "fc"):
            return ends
        stage, number, kind = _of_stage(layer)
        block = f"layer{stage}.{number - 1}"
        names = {
            "conv": {
                **conv(f"{block}.binary_conv", weight=weight, flat=flat),
                "shift": Stored((f"{block}.move0.bias",), "image"),
            },
            "conv_norm": norm(f"{block}.bn1"),
            "shortcut": conv(f"{block}.downsample.1"),
            "shortcut_norm": norm(f"{block}.downsample.2"),
            "add_rprelu": {
                "before": Stored((f"{block}.move1.bias",), "image"),
                "slope": Stored((f"{block}.prelu.weight",)),
                "after": Stored((f"{block}.move2.bias",), "image"),
            },
        }
        return names[kind]

    return namer


def _two_convs_a_block(last: str, shortcut: int = 0) -> Namer:
    """Names of the last layer, and of the first layer of a shortcut that has weights: AdaBin pools before it."""

    def namer(layer: KerasLayer) -> Mapping[str, Stored]:
        if ends := _ends(layer, last, "bn2"):
            return ends
        stage, number, kind = _of_stage(layer)
        block, conv_number = f"layer{stage}.{(number - 1) // 2}", (number - 1) % 2 + 1
        names = {
            "conv": {
                **conv(f"{block}.conv{conv_number}"),
                "alpha": Stored((f"{block}.conv{conv_number}.binary_a.alpha_a",), "scalar"),
                "beta": Stored((f"{block}.conv{conv_number}.binary_a.beta_a",), "scalar"),
            },
            "conv_scale": {"channel": Stored((f"{block}.conv{conv_number}.alpha",), "column")},
            "conv_norm": norm(f"{block}.bn{conv_number}"),
            "add_maxout": _maxout(f"{block}.nonlinear{conv_number}"),
            "shortcut": conv(f"{block}.downsample.{shortcut}"),
            "shortcut_norm": norm(f"{block}.downsample.{shortcut + 1}"),
        }
        return names[kind]

    return namer


def _unused(name: str) -> bool:
    """Counters; ReCU's τ, which changes no sign; last layers that IR-Net's and AdaBin's code makes and does not use."""
    return counted(name) or name.endswith(".tau") or name.startswith(("bn3.", "nonlinear2."))


def _publication(
    zoo: str,
    source: str,
    method: str,
    namer: Namer,
    network: Mapping[str, Json] | None = None,
    method_options: Mapping[str, Json] | None = None,
) -> Publication:
    def slots(model: KerasModel, checkpoint: Checkpoint) -> list[Slot]:
        return slots_of(model, namer)

    classes = rows_of("fc.weight", "linear.weight")
    return Publication(
        zoo, source, "PyTorch", method, slots, classes, method_options or {}, network or {}, ignored=_unused
    )


_ADA_BIN = "AdaBin's authors"
_LARGE: Mapping[str, Json] = {"stem": "large"}  # for images of any size
_AS_CODED: Mapping[str, Json] = {"values": "code", "maxout": "sum"}
PUBLICATIONS = (
    _publication(
        "birealnet18",
        "Bi-Real Net's authors",
        "bi_real",
        _one_conv_a_block("weights", flat=True),
        {"lineage": "pytorch"},
    ),
    _publication("birealnet34", "Bi-Real Net's authors", "bi_real", _one_conv_a_block("weights", flat=True), _LARGE),
    _publication("reactnet_18", "ReActNet's authors", "react_net", _one_conv_a_block("weight", flat=False)),
    _publication("irnet_resnet20", "IR-Net's authors", "ir_net", _two_convs_a_block("linear")),
    _publication("irnet_resnet18", "IR-Net's authors", "ir_net", _two_convs_a_block("fc")),
    _publication("recu_resnet20", "ReCU's authors", "recu", _two_convs_a_block("linear")),
    _publication("recu_resnet18", "ReCU's authors", "recu", _two_convs_a_block("fc")),
    _publication("adabin_resnet20", _ADA_BIN, "ada_bin", _two_convs_a_block("linear"), None, _AS_CODED),
    _publication("adabin_resnet18", _ADA_BIN, "ada_bin", _two_convs_a_block("fc", 1), _LARGE, _AS_CODED),
)
