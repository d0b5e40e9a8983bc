"""Every family of the conversion matrix, by name, in the order of the table."""

from matrix import after, blocks, geometry, kinds, quantizers, structure
from matrix.family import Family

PARTS: dict[str, list[Family]] = {
    "Convolutions": geometry.FAMILIES,
    "After and between": after.FAMILIES,
    "Other layers": kinds.FAMILIES,
    "Quantizers": quantizers.FAMILIES,
    "Structure": structure.FAMILIES,
    "Blocks of known networks": blocks.FAMILIES,
}
FAMILIES = {family.name: family for part in PARTS.values() for family in part}
