"""Movement of data before an LceQuantize comes after it, where it moves words instead of floats.

Signs do not change when values change their places, so LceQuantize(move(x)) = move(LceQuantize(x)) wherever whole words
move: if the movement leaves the channels alone, or cuts and joins them between words. A pixel of padding that is not
negative is a word of 0, another a word of -1, which has no channels too many only if channels fill words.
"""

from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

# The operands of a movement besides its data, for words.
_Operands = Sequence[Tensor | None]

ROOTS = frozenset({"LceQuantize"})
_WORD = 32


def rewrite(graph: Graph, root: Operator) -> None:
    """Moves a RESHAPE, TRANSPOSE, PAD, CONCATENATION, SPLIT, DEPTH_TO_SPACE or slice before an LceQuantize after it.

    Raises:
        NoMatch: there is none, others read its result, or it moves parts of words.
    """
    mover = graph.producer(root.input(0))
    if mover is None or mover.op_type not in _MOVES:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "no movement of data stands before it")
    readers = [reader for tensor in mover.outputs for reader in graph.consumers(tensor)]
    graph.check_unshared(mover.outputs, [reader for reader in readers if reader.op_type == "LceQuantize"])
    _move(graph, mover, _MOVES[mover.op_type](mover))


def _refused(code: RefusalCode, mover: Operator, what: str) -> NoMatch:
    return NoMatch(code, f"{mover.op_type} before it {what}")


def _between_words(mover: Operator) -> NoMatch:
    text = "moves parts of a word: channels would have to come in multiples of 32"
    return _refused(RefusalCode.CHANNELS_SPLIT_WORDS, mover, text)


def _move(graph: Graph, mover: Operator, operands: _Operands) -> None:
    count = len(mover.inputs) if mover.op_type == "CONCATENATION" else 1
    place = 1 if mover.op_type == "SPLIT" else 0
    data = [tensor for tensor in mover.inputs[place : place + count] if tensor is not None]
    words = [_packed(graph, mover, tensor) for tensor in data]
    outputs = [
        Tensor.of(f"{tensor.name}/signs", (*tensor.shape[:-1], _words(tensor.shape[-1])), np.int32)
        for tensor in mover.outputs
    ]
    moved = mover.between([*operands[:place], *words, *operands[place:]], outputs)
    if mover.op_type == "RESHAPE":  # whose options have the shape once more
        moved.table.builtinOptions, moved.table.builtinOptionsType = None, schema.BuiltinOptions.NONE
    graph.insert_before(mover, moved)
    for tensor, output in zip(mover.outputs, outputs, strict=True):
        for quantize in graph.consumers(tensor):
            graph.remove(quantize)
            graph.replace(quantize.output, output)
    graph.remove(mover)


def _packed(graph: Graph, mover: Operator, tensor: Tensor) -> Tensor:
    """The signs of a tensor, packed before its movement."""
    if tensor.values is not None and tensor.dtype == np.float32:
        return Tensor.constant(f"{tensor.name}/signs", pack(tensor.values < 0))
    for other in graph.consumers(tensor):
        if other.op_type == "LceQuantize" and graph.rank(other) < graph.rank(mover):
            return other.output
    words = Tensor.of(f"{tensor.name}/signs", (*tensor.shape[:-1], _words(tensor.shape[-1])), np.int32)
    graph.insert_before(mover, Operator.custom("LceQuantize", [tensor], [words]))
    return words


def _words(channels: int) -> int:
    return -(-channels // _WORD)


def _shape(mover: Operator) -> tuple[int, ...]:
    """Of what is moved."""
    return mover.input(1 if mover.op_type == "SPLIT" else 0).shape


def _reshape(mover: Operator) -> _Operands:
    before, after = _shape(mover)[-1:], mover.output.shape[-1:]
    if before != after and any(size % _WORD for size in (*before, *after)):
        raise _between_words(mover)
    if mover.op_type != "RESHAPE":
        return mover.inputs[1:]
    shape = mover.constant(1)
    if shape[-1] != -1:
        shape = np.array([*shape[:-1], _words(after[0])], shape.dtype)
    elif before == after and after[0] % _WORD:
        raise _refused(RefusalCode.SHAPE_UNFIT, mover, "leaves the channels to be found out")
    return [Tensor.constant("shape", shape)]


def _transpose(mover: Operator) -> _Operands:
    if mover.constant(1)[-1] != len(_shape(mover)) - 1:
        raise _refused(RefusalCode.CHANNELS_SPLIT_WORDS, mover, "brings the channels to another place")
    return mover.inputs[1:]


def _pad(mover: Operator) -> _Operands:
    amounts, value = mover.constant(1), mover.constant(2) if len(mover.inputs) > 2 else np.zeros(1)
    if mover.output.dtype != np.float32:
        raise _refused(RefusalCode.TYPE_UNSUPPORTED, mover, "pads other numbers than floats")
    if amounts[-1].any():
        raise _refused(RefusalCode.SHAPE_UNFIT, mover, "adds channels")
    word = np.zeros(1, np.int32)
    if (value < 0).all():
        if _shape(mover)[-1] % _WORD:
            raise _between_words(mover)
        word = np.full(1, -1, np.int32)
    return [mover.inputs[1], *([Tensor.constant("value", word)] if len(mover.inputs) > 2 else [])]


def _concatenation(mover: Operator) -> _Operands:
    if mover.options.fusedActivationFunction:
        raise _refused(RefusalCode.ACTIVATION_UNSUPPORTED, mover, "has a fused activation")
    shapes = [tensor.shape for tensor in mover.inputs if tensor is not None]
    along_channels = mover.options.axis in (-1, len(shapes[0]) - 1)
    if along_channels and any(shape[-1] % _WORD for shape in shapes[:-1]):
        raise _between_words(mover)
    return []


def _depth_to_space(mover: Operator) -> _Operands:
    if mover.output.shape[-1] % _WORD:
        raise _between_words(mover)
    return []


def _split(mover: Operator) -> _Operands:
    axis = mover.constant(0 if mover.op_type == "SPLIT" else 2)
    sizes = [tensor.shape[-1] for tensor in mover.outputs]
    if axis.reshape(-1)[0] not in (-1, len(_shape(mover)) - 1):
        return mover.inputs[:1] if mover.op_type == "SPLIT" else mover.inputs[1:]
    if any(size % _WORD for size in (sizes if mover.op_type == "SPLIT" else sizes[:-1])):
        raise _between_words(mover)
    if mover.op_type == "SPLIT":
        return [mover.inputs[0]]
    return [Tensor.constant("sizes", np.array([_words(size) for size in sizes], np.int32)), mover.inputs[2]]


def _slice(mover: Operator) -> _Operands:
    begin, size = (mover.constant(number).copy() for number in (1, 2))
    return _bounds(mover, begin, size, int(begin[-1]), [])


def _strided_slice(mover: Operator) -> _Operands:
    options, last = mover.options, len(_shape(mover)) - 1
    begin, end, strides = (mover.constant(number).copy() for number in (1, 2, 3))
    if options.ellipsisMask or options.newAxisMask or options.shrinkAxisMask or options.offset or len(begin) <= last:
        raise _refused(RefusalCode.SHAPE_UNFIT, mover, "has bounds that do not stand for one dimension each")
    if strides[-1] != 1:
        raise _between_words(mover)
    channels = _shape(mover)[-1]
    first = 0 if options.beginMask >> last & 1 else int(begin[-1])
    first = max(first + channels, 0) if first < 0 else first
    return _bounds(mover, begin, end, first, [mover.inputs[3]], to_end=True)


def _bounds(mover: Operator, begin: Array, end: Array, first: int, rest: _Operands, to_end: bool = False) -> _Operands:
    """Bounds in words: where a slice begins, and its end or its size."""
    size, channels = mover.output.shape[-1], _shape(mover)[-1]
    if first % _WORD or (size % _WORD and first + size != channels):
        raise _between_words(mover)
    begin[-1] = first // _WORD
    end[-1] = _words(size) + (begin[-1] if to_end else 0)
    return [Tensor.constant("begin", begin), Tensor.constant("end", end), *rest]


_MOVES: dict[str, Callable[[Operator], _Operands]] = {
    **dict.fromkeys(("RESHAPE", "EXPAND_DIMS", "SQUEEZE"), _reshape),
    "TRANSPOSE": _transpose,
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    "CONCATENATION": _concatenation,
    "DEPTH_TO_SPACE": _depth_to_space,
    **dict.fromkeys(("SPLIT", "SPLIT_V"), _split),
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
}
