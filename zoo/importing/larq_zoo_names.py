"""What the layers of MeliusNet22 and Real-to-Binary Net are called in Larq Zoo, by what they are called here."""

import re

_STEM_GROUPS = {"2": 4, "3": 8}  # of MeliusNet's convolutions


def by_hand(network: str, layer: str) -> list[str]:
    """The layers there that make up one of ours, in order: several are the groups of a convolution.

    Args:
        network: meliusnet22 or real_to_binary_net.
        layer: a layer of it that has weights.
    """
    return _melius(layer) if network == "meliusnet22" else [_real_to_binary(layer)]


def _melius(layer: str) -> list[str]:
    if layer == "logits":
        return ["head_dense"]
    if layer == "last_norm":
        return ["head_bn"]
    if found := re.fullmatch(r"stem_(\d)", layer):
        stem, groups = int(found[1]) - 1, _STEM_GROUPS.get(found[1], 0)
        return [f"stem_s{stem}_groupconv_conv{i}" for i in range(groups)] or [f"stem_s{stem}_conv"]
    if found := re.fullmatch(r"stem_(\d)_norm", layer):
        return [f"stem_s{int(found[1]) - 1}_bn"]
    if found := re.fullmatch(r"transition(\d)(_norm)?", layer):
        return [f"section_{int(found[1]) - 1}_transition_{'bn' if found[2] else 'pw'}"]
    found = re.fullmatch(r"stage(\d)_(\d)_(dense|improve)_(norm|conv)", layer)
    assert found, layer
    kind = "bn" if found[4] == "norm" else "binconv"
    return [f"section_{int(found[1]) - 1}_block_{int(found[2]) - 1}_{found[3]}_{kind}"]


_KINDS = {
    "norm": "batch_norm",
    "conv": "conv2d",
    "prelu": "prelu",
    "reduce": "scaling_dense_reduce",
    "expand": "scaling_dense_expand",
    "shortcut": "shortcut_conv2d",
    "shortcut_norm": "shortcut_batch_norm",
}


def _real_to_binary(layer: str) -> str:
    if layer == "logits":
        return "r2b_bnn_block_10_logits"
    if layer.startswith("stem"):
        return f"r2b_bnn_block_1_{_KINDS[layer.partition('_')[2] or 'conv']}"
    found = re.fullmatch(r"stage(\d)_(\d)_(\w+)", layer)
    assert found, layer
    block, half = divmod(int(found[2]) - 1, 2)  # a block has two convolutions
    return f"r2b_bnn_block_{2 * int(found[1]) + block}{'ab'[half]}_{_KINDS[found[3]]}"
