"""What would become of each layer, and what to do about those that stay float."""

from collections.abc import Collection
from dataclasses import dataclass

from mobile_bnn.converters.lowering import NOT_READ, Layer, Lowering, lower
from mobile_bnn.converters.source import Source
from mobile_bnn.names import unknown

# Of an operator whose weights have few values.
_NO_QUANTIZER = "input is not quantized"


@dataclass(frozen=True)
class Finding:
    """A row of lint's table.

    Attributes:
        layer: by its Keras name where it has one.
        kind: of operator; empty if none reads its weights.
        wanted: "binary" or "float".
        gets: "binary" or "float".
        why: of a layer that stays float though its weights or it asked for more, the reason; of a binary one that is
            larger than it was, just that.
        cure: what to change, for one that wanted to be binary and stays float.
        float_bytes: of its weights in float32.
        file_bytes: of its weights in the file.
        allowed: whether it may stay float.
    """

    layer: str
    kind: str
    wanted: str
    gets: str
    why: str
    cure: str
    float_bytes: int
    file_bytes: int
    allowed: bool

    @property
    def unmet(self) -> bool:
        """Whether it should be binary and is not."""
        return self.wanted == "binary" and self.gets == "float" and not self.allowed


def lint(source: Source, allow_float: Collection[str] = ()) -> list[Finding]:
    """Lowers a model in memory, and tells of every linear operator.

    Args:
        source: its graph is changed.
        allow_float: layers that may stay float; "all" for any.

    Raises:
        UsageError: `allow_float` names a layer that is not there.
    """
    lowering = lower(source.model.graphs[0], source.quantized)
    check_names(lowering, allow_float)
    return findings(lowering, allow_float)


def check_names(lowering: Lowering, allow_float: Collection[str]) -> None:
    """Refuses names of layers that are not there.

    Raises:
        UsageError: the first of them, and those that are.
    """
    names = {*lowering.unread, *(layer.name for layer in lowering.layers)}
    for name in allow_float:
        if name != "all" and name not in names:
            raise unknown("layer", name, names)


def findings(lowering: Lowering, allow_float: Collection[str] = ()) -> list[Finding]:
    """The rows of what was lowered."""

    def allowed(name: str) -> bool:
        return "all" in allow_float or name in allow_float

    found = [_finding(layer, allowed(layer.name)) for layer in lowering.layers]
    return found + [_unread(name, allowed(name)) for name in lowering.unread]


def _finding(layer: Layer, allowed: bool) -> Finding:
    larger = layer.binary and layer.file_bytes > layer.float_bytes
    not_worth = f"not worth it: {layer.file_bytes:,} bytes of bits, for groups of few channels" if larger else ""
    return Finding(
        layer=layer.name,
        kind=layer.kind,
        wanted="binary" if layer.asked else "float",
        gets="binary" if layer.binary else "float",
        why=not_worth or (layer.reason if layer.asked or _NO_QUANTIZER in layer.reason else ""),
        cure=_cure(layer) if layer.asked and not layer.binary and not allowed else "",
        float_bytes=layer.float_bytes,
        file_bytes=layer.file_bytes,
        allowed=allowed,
    )


def _unread(name: str, allowed: bool) -> Finding:
    """The row of a Keras layer that is none of the graph's."""
    cure = "" if allowed else f"let it multiply by its quantized weights themselves, or --allow-float {name}"
    return Finding(name, "", "binary", "float", NOT_READ, cure, 0, 0, allowed)


def _cure(layer: Layer) -> str:
    if _NO_QUANTIZER in layer.reason:
        return "give it an input_quantizer, or put the quantizer right in front of it"
    if "on no grid" in layer.reason:
        return "give its kernel a quantizer of few values, such as ste_sign"
    return f"change the layer, or leave it float: --allow-float {layer.name}"
