"""Which maps of a backbone a head can stand on."""

from collections.abc import Collection, Sequence


def missing_strides(wanted: Sequence[int], available: Collection[int]) -> list[int]:
    """Those of the wanted maps that a backbone lacks; coarser ones than its own are made of its deepest."""
    return [stride for stride in wanted if stride not in available and stride < max(available, default=stride + 1)]
