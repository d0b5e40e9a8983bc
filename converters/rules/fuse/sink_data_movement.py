"""Movement of data in front of an LceQuantize comes behind it, where it moves words instead of floats.

Signs do not change when values change their places, so LceQuantize(move(x)) = move(LceQuantize(x)) wherever whole words
move: if the movement leaves the channels alone, or cuts and joins them between words. A pixel of padding that is not
negative is a word of 0, another a word of -1, which has no channels too many only if channels fill words.
"""

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.clone import copied
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.typing import Array

# The operands of a movement besides its data, for words; or why it cannot move words.
_Operands = list[Tensor | None] | str

KINDS = frozenset({"LceQuantize"})
_WORD = 32
_BETWEEN_WORDS = "moves parts of a word: channels would have to come in multiples of 32"


def apply(graph: Graph, operator: Operator) -> str | None:
    """Moves a RESHAPE, TRANSPOSE, PAD, CONCATENATION, SPLIT or slice in front of an LceQuantize behind it.

    Returns:
        None if it did, else why not.
    """
    (data,) = operator.inputs
    mover = None if data is None else graph.producer(data)
    if mover is None or mover.kind not in _MOVES:
        return "no movement of data stands in front of it"
    readers = [reader for tensor in mover.outputs for reader in graph.consumers(tensor)]
    if any(reader.kind != "LceQuantize" for reader in readers) or any(t in graph.outputs for t in mover.outputs):
        return f"the result of {mover.kind} in front of it is used by others, too"
    operands = _MOVES[mover.kind](mover)
    if isinstance(operands, str):
        return f"{mover.kind} in front of it {operands}"
    _rewrite(graph, mover, operands)
    return None


def _rewrite(graph: Graph, mover: Operator, operands: list[Tensor | None]) -> None:
    count = len(mover.inputs) if mover.kind == "CONCATENATION" else 1
    place = 1 if mover.kind == "SPLIT" else 0
    data = [tensor for tensor in mover.inputs[place : place + count] if tensor is not None]
    words = [_packed(graph, mover, tensor) for tensor in data]
    outputs = [
        Tensor.of(f"{tensor.name}/signs", (*tensor.shape[:-1], _words(tensor.shape[-1])), np.int32)
        for tensor in mover.outputs
    ]
    moved = copied(mover, [*operands[:place], *words, *operands[place:]], outputs)
    if mover.kind == "RESHAPE":  # whose options have the shape once more
        moved.table.builtinOptions, moved.table.builtinOptionsType = None, schema.BuiltinOptions.NONE
    graph.insert_before(mover, moved)
    for tensor, output in zip(mover.outputs, outputs, strict=True):
        for quantize in graph.consumers(tensor):
            graph.operators.remove(quantize)
            graph.replace(quantize.output, output)
    graph.operators.remove(mover)


def _packed(graph: Graph, mover: Operator, tensor: Tensor) -> Tensor:
    """The signs of a tensor, packed in front of its movement."""
    if tensor.values is not None and tensor.dtype == np.float32:
        return Tensor.constant(f"{tensor.name}/signs", pack(tensor.values < 0))
    for other in graph.operators[: graph.operators.index(mover)]:
        if other.kind == "LceQuantize" and other.inputs[0] is tensor:
            return other.output
    words = Tensor.of(f"{tensor.name}/signs", (*tensor.shape[:-1], _words(tensor.shape[-1])), np.int32)
    graph.insert_before(mover, Operator.custom("LceQuantize", [tensor], [words]))
    return words


def _words(channels: int) -> int:
    return -(-channels // _WORD)


def _values(mover: Operator, *places: int) -> list[Array] | None:
    """Constant operands, None if one is computed."""
    found = []
    for place in places:
        tensor = mover.inputs[place] if place < len(mover.inputs) else None
        if tensor is None or tensor.values is None:
            return None
        found.append(tensor.values)
    return found


def _shape(mover: Operator) -> tuple[int, ...]:
    """Of what is moved."""
    tensor = mover.inputs[1 if mover.kind == "SPLIT" else 0]
    assert tensor is not None
    return tensor.shape


def _reshape(mover: Operator) -> _Operands:
    before, after = _shape(mover)[-1:], mover.output.shape[-1:]
    if before != after and any(size % _WORD for size in (*before, *after)):
        return _BETWEEN_WORDS
    if mover.kind != "RESHAPE":
        return mover.inputs[1:]
    wanted = _values(mover, 1)
    if wanted is None:
        return "goes to a shape that is computed"
    (shape,) = wanted
    if shape[-1] != -1:
        shape = np.array([*shape[:-1], _words(after[0])], shape.dtype)
    elif before == after and after[0] % _WORD:
        return "leaves the channels to be found out"
    return [Tensor.constant("shape", shape)]


def _transpose(mover: Operator) -> _Operands:
    order = _values(mover, 1)
    if order is None or order[0][-1] != len(_shape(mover)) - 1:
        return "brings the channels to another place"
    return mover.inputs[1:]


def _pad(mover: Operator) -> _Operands:
    amounts = _values(mover, 1)
    value = _values(mover, 2) if len(mover.inputs) > 2 else [np.zeros(1)]
    if amounts is None or value is None or mover.output.dtype != np.float32:
        return "has padding that is computed, or no floats"
    if amounts[0][-1].any():
        return "adds channels"
    if (value[0] < 0).all():
        if _shape(mover)[-1] % _WORD:
            return _BETWEEN_WORDS
        value = [np.full(1, -1)]
    else:
        value = [np.zeros(1)]
    return [mover.inputs[1], *([Tensor.constant("value", value[0].astype(np.int32))] if len(mover.inputs) > 2 else [])]


def _concatenation(mover: Operator) -> _Operands:
    if mover.options.fusedActivationFunction:
        return "has a fused activation"
    shapes = [tensor.shape for tensor in mover.inputs if tensor is not None]
    along_channels = mover.options.axis in (-1, len(shapes[0]) - 1)
    if along_channels and any(shape[-1] % _WORD for shape in shapes[:-1]):
        return _BETWEEN_WORDS
    return []


def _split(mover: Operator) -> _Operands:
    axis = _values(mover, 0 if mover.kind == "SPLIT" else 2)
    if axis is None:
        return "has an axis that is computed"
    sizes = [tensor.shape[-1] for tensor in mover.outputs]
    if axis[0].reshape(-1)[0] not in (-1, len(_shape(mover)) - 1):
        return mover.inputs[:1] if mover.kind == "SPLIT" else mover.inputs[1:]
    if any(size % _WORD for size in (sizes if mover.kind == "SPLIT" else sizes[:-1])):
        return _BETWEEN_WORDS
    if mover.kind == "SPLIT":
        return [mover.inputs[0]]
    return [Tensor.constant("sizes", np.array([_words(size) for size in sizes], np.int32)), mover.inputs[2]]


def _slice(mover: Operator) -> _Operands:
    found = _values(mover, 1, 2)
    if found is None:
        return "has bounds that are computed"
    begin, size = (values.copy() for values in found)
    return _bounds(mover, begin, size, int(begin[-1]), [])


def _strided_slice(mover: Operator) -> _Operands:
    options, found = mover.options, _values(mover, 1, 2, 3)
    last = len(_shape(mover)) - 1
    if found is None:
        return "has bounds that are computed"
    if options.ellipsisMask or options.newAxisMask or options.shrinkAxisMask or options.offset or len(found[0]) <= last:
        return "has bounds that do not stand for one dimension each"
    begin, end, strides = (values.copy() for values in found)
    if strides[-1] != 1:
        return _BETWEEN_WORDS
    channels = _shape(mover)[-1]
    first = 0 if options.beginMask >> last & 1 else int(begin[-1])
    first = max(first + channels, 0) if first < 0 else first
    return _bounds(mover, begin, end, first, [mover.inputs[3]], to_end=True)


def _bounds(
    mover: Operator, begin: Array, end: Array, first: int, rest: list[Tensor | None], to_end: bool = False
) -> _Operands:
    """Bounds in words: where a slice begins, and its end or its size."""
    size, channels = mover.output.shape[-1], _shape(mover)[-1]
    if first % _WORD or (size % _WORD and first + size != channels):
        return _BETWEEN_WORDS
    begin[-1] = first // _WORD
    end[-1] = _words(size) + (begin[-1] if to_end else 0)
    return [Tensor.constant("begin", begin), Tensor.constant("end", end), *rest]


_MOVES: dict[str, Callable[[Operator], _Operands]] = {
    **dict.fromkeys(("RESHAPE", "EXPAND_DIMS", "SQUEEZE"), _reshape),
    "TRANSPOSE": _transpose,
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    "CONCATENATION": _concatenation,
    **dict.fromkeys(("SPLIT", "SPLIT_V"), _split),
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
}
