"""Every family of the conversion matrix, by name, in the order of the table."""

from matrix import (
    after,
    attention,
    blocks,
    control_flow,
    geometry,
    kinds,
    quantizers,
    sources,
    straight_through,
    structure,
    sums,
    transposed,
)
from matrix.family import Family

PARTS: dict[str, list[Family]] = {
    "Convolutions": geometry.FAMILIES,
    "After and between": after.FAMILIES,
    "Other layers": kinds.FAMILIES,
    "Transposed convolutions": transposed.FAMILIES,
    "Products of two activations": attention.FAMILIES,
    "Quantizers": quantizers.FAMILIES,
    "Spellings of other libraries": straight_through.FAMILIES,
    "Sums of binary convolutions": sums.FAMILIES,
    "Structure": structure.FAMILIES,
    "Loops and branches": control_flow.FAMILIES,
    "Sources, sizes and names": sources.FAMILIES,
    "Blocks of known networks": blocks.FAMILIES,
}
FAMILIES = {family.name: family for part in PARTS.values() for family in part}
