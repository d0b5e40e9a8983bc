"""What would become of each layer, and what to do about those that stay float."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mobile_bnn.converters.explanations import EXPLANATIONS
from mobile_bnn.converters.lowering import NOT_READ, Layer, Lowering
from mobile_bnn.converters.refusals import Refusal, RefusalCode
from mobile_bnn.converters.source import Source
from mobile_bnn.names import unknown

# Reasons that are told of layers that nobody declared binary, too.
_TOLD = {RefusalCode.INPUT_NOT_QUANTIZED, RefusalCode.INPUT_TOO_MANY_VALUES, RefusalCode.TWO_ACTIVATIONS}
# Products of bits that take longer than one of floats: with 4 channels, 8 of them, a float operator was twice as fast
# as a binary one (3x3, stride 1, 28x28, 16 outputs, AMD EPYC Zen 3).
_MOST_PRODUCTS = 8


@dataclass(frozen=True)
class Finding:
    """A row of lint's table.

    Attributes:
        layer: by its Keras name where it has one.
        op_type: of the operator; empty if none reads its weights.
        declared: "binary" if it has quantizers for input and weights, else "float".
        converted_to: "binary" or "float".
        why: of a layer that stays float though it or its weights are declared binary, the reason; of a binary one that
            is larger than it was, just that.
        code: of the reason, whatever its text says; None if there is none.
        cure: what to change, for one that is declared binary and stays float.
        float_bytes: of its weights in float32.
        file_bytes: of its weights in the file.
        allowed: whether it may stay float.
        subgraph: that its operator is in: 0 is the main graph, others are in loops and branches.
    """

    layer: str
    op_type: str
    declared: str
    converted_to: str
    why: str
    code: RefusalCode | None
    cure: str
    float_bytes: int
    file_bytes: int
    allowed: bool
    subgraph: int = 0

    @property
    def unsupported(self) -> bool:
        """Whether it should be binary and is not."""
        return self.declared == "binary" and self.converted_to == "float" and not self.allowed


def lint(model: Any, allow_float: Collection[str] = ()) -> list[Finding]:
    """Lowers a copy of a model in memory, and tells of every linear operator.

    Args:
        model: a `Source`, a Keras model, the path of whatever `Source.load` reads, or the bytes of a float .tflite.
        allow_float: layers that may stay float, or the name of one; "all" for any.

    Raises:
        UsageError: there is nothing at that path, or `allow_float` names a layer that is not there.
        MobileBnnError: the model cannot be read or exported.
    """
    _, lowering = Source.of(model).lower()
    allow_float = as_names(allow_float)
    check_names(lowering, allow_float)
    return findings(lowering, allow_float)


def how_to_declare(source: Source) -> str:
    """How layers of a model come to be binary, where none is."""
    if source.keras is not None:
        return "Give layers an input_quantizer and a kernel_quantizer"
    return "Export the model with binary weights and with a sign before each layer that reads it (docs/pytorch.md)"


def as_names(names: Collection[str]) -> Collection[str]:
    """Several names; one that stands alone is not taken for its letters."""
    return (names,) if isinstance(names, str) else names


def check_names(lowering: Lowering, allow_float: Collection[str]) -> None:
    """Refuses names of layers that are not there.

    Raises:
        UsageError: the first of them, and those that are.
    """
    names = {*lowering.unused, *(layer.name for layer in lowering.every_layer)}
    for name in allow_float:
        if name != "all" and name not in names:
            raise unknown("layer", name, names)


def findings(lowering: Lowering, allow_float: Collection[str] = ()) -> list[Finding]:
    """The rows of what was lowered."""

    def allowed(name: str) -> bool:
        return "all" in allow_float or name in allow_float

    graphs = {0: lowering, **lowering.bodies}
    found = [_finding(layer, allowed(layer.name), number) for number, each in graphs.items() for layer in each.layers]
    return found + [_unused(name, allowed(name)) for name in lowering.unused]


def _finding(layer: Layer, allowed: bool, subgraph: int) -> Finding:
    told = _told(layer)
    return Finding(
        layer=layer.name,
        op_type=layer.op_type,
        declared="binary" if layer.declared else "float",
        converted_to="binary" if layer.binary else "float",
        why=told.text if told else "",
        code=told.code if told else None,
        cure=_cure(layer.name, layer.refusal) if layer.declared and layer.refusal is not None and not allowed else "",
        float_bytes=layer.float_bytes,
        file_bytes=layer.file_bytes,
        allowed=allowed,
        subgraph=subgraph,
    )


def _told(layer: Layer) -> Refusal | None:
    """What a reader of the table wants to know: one neither declared binary nor of few values is float, that is all."""
    if layer.refusal is not None:
        return layer.refusal if layer.declared or layer.refusal.code in _TOLD else None
    if layer.file_bytes > layer.float_bytes:
        text = f"not worth it: {layer.file_bytes:,} bytes of bits, for groups of few channels"
        return Refusal(RefusalCode.LARGER_IN_BITS, text)
    return _slower(layer)


def _slower(layer: Layer) -> Refusal | None:
    """Of a transposed convolution that has no stride to gain from: then it is as fast as any convolution."""
    options = layer.operator.options
    if layer.op_type != "TRANSPOSE_CONV" or (options.strideH, options.strideW) != (1, 1):
        return None
    products = 8 * layer.file_bytes / (layer.float_bytes / 4)
    if products < _MOST_PRODUCTS:
        return None
    text = f"not worth it: {products:.0f} products of bits for each product of floats, for few channels"
    return Refusal(RefusalCode.SLOWER_IN_BITS, text)


def _unused(name: str, allowed: bool) -> Finding:
    """The row of a Keras layer that is none of the graph's."""
    cure = "" if allowed else _cure(name, NOT_READ)
    return Finding(name, "", "binary", "float", NOT_READ.text, NOT_READ.code, cure, 0, 0, allowed)


def _cure(name: str, refusal: Refusal) -> str:
    return EXPLANATIONS[refusal.code].cure.format(layer=shlex.quote(name))
