"""PyTorch checkpoints of networks with MobileNetV1's layers: ReActNet's and BNext's.

Our layers of `block3` are in feature.3 there; the stem is feature.0.
"""

import re
from collections.abc import Mapping

from mobile_bnn.typing import KerasLayer, KerasModel
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.importing.matching import Slot
from mobile_bnn.zoo.importing.publications import Publication
from mobile_bnn.zoo.importing.torch_layers import Stored, conv, counted, dense, norm, rows_of, slots_of

_SIGN_FROM = 1e-7  # temperature below which BNext's kernels are signs


def _react_net(layer: KerasLayer, *, doubled: bool) -> Mapping[str, Stored]:
    """A block that doubles the channels has two 1x1 convolutions there, side by side in one of ours."""
    if layer.name in (ends := _ends()):
        return ends[layer.name]
    found = re.fullmatch(r"block(\d+)_(\d)_(\w+)", layer.name)
    if not found:
        raise LookupError(layer.name)
    block, half, kind = f"feature.{found[1]}", found[2], found[3]
    parts = ["1", "2"] if half == "2" and doubled else [""]
    named = "binary_3x3" if half == "1" else "binary_pw_down" if doubled else "binary_pw"
    names = {
        "conv": {
            **conv(*(f"{block}.{named}{part}" for part in parts), weight="weights", flat=True),
            "shift": Stored((f"{block}.move{half}1.bias",), "image"),
        },
        "conv_norm": norm(*(f"{block}.bn{half}{part and '_'}{part}" for part in parts)),
        "add_rprelu": {
            "before": Stored((f"{block}.move{half}2.bias",), "image"),
            "slope": Stored((f"{block}.prelu{half}.weight",)),
            "after": Stored((f"{block}.move{half}3.bias",), "image"),
        },
    }
    return names[kind]


def _ends() -> dict[str, dict[str, Stored]]:
    return {"stem": conv("feature.0.conv1"), "stem_norm": norm("feature.0.bn1"), "logits": dense("fc")}


def _react_net_slots(model: KerasModel, checkpoint: Checkpoint) -> list[Slot]:
    doubling = {layer.name.partition("_")[0] for layer in model.layers if layer.name.endswith("_2_shortcut")}
    return slots_of(model, lambda layer: _react_net(layer, doubled=layer.name.partition("_")[0] in doubling))


_UNITS = {"1": "Attention", "2": "FFN", "2a": "FFN_1", "2b": "FFN_2"}


def _bnext(layer: KerasLayer) -> Mapping[str, Stored]:
    if layer.name in (ends := _ends()):
        return ends[layer.name]
    if layer.name == "last_prelu":
        return {"alpha": Stored(("prelu.weight",))}
    found = re.fullmatch(r"block(\d+)_(\d[ab]?)_(\w+)", layer.name)
    if not found:
        raise LookupError(layer.name)
    unit = f"feature.{found[1]}.{_UNITS[found[2]]}"
    names = {
        "shift": {"shift": Stored((f"{unit}.move.bias",), "image")},
        "conv": conv(f"{unit}.binary_conv"),
        "conv_norm": norm(f"{unit}.norm1"),
        "prelu": {"alpha": Stored((f"{unit}.activation2.weight",))},
        "shortcut_prelu": {"alpha": Stored((f"{unit}.activation1.weight",))},
        "mix": {"share": Stored((f"{unit}.scale",), "image")},
        "squeeze": dense(f"{unit}.se.se.1"),
        "expand": dense(f"{unit}.se.se.3"),
        "gated_norm": norm(f"{unit}.norm2"),
    }
    return names[found[3]]


def _bnext_slots(model: KerasModel, checkpoint: Checkpoint) -> list[Slot]:
    return slots_of(model, _bnext)


def _unused_by_bnext(name: str) -> bool:
    """Counters, temperatures, and PReLUs that the code makes and does not use."""
    return counted(name) or name.endswith((".temperature", ".activation1.weight")) or name == "feature.0.prelu.weight"


def _still_soft(checkpoint: Checkpoint) -> str:
    """Why kernels are not signs yet: BNext evaluates clip(w/T, -1, 1) until the temperature T is next to 0."""
    names = [name for name in checkpoint.arrays if name.endswith("binary_conv.temperature")]
    highest = max((float(checkpoint.arrays[name].read().max(initial=0)) for name in names), default=0.0)
    return f"its kernels are not binary yet, at a temperature of {highest:g}" if highest >= _SIGN_FROM else ""


_CLASSES = rows_of("fc.weight")
PUBLICATIONS = (
    Publication(
        "reactnet_a", "ReActNet's authors", "PyTorch", "react_net", _react_net_slots, _CLASSES, ignored=counted
    ),
    *(
        Publication(
            f"bnext_{size}",
            "BNext's authors",
            "PyTorch",
            "bnext",
            _bnext_slots,
            _CLASSES,
            ignored=_unused_by_bnext,
            binary=_still_soft,
        )
        for size in "tsml"
    ),
)
