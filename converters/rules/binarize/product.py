"""A matrix product of two activations of two values each, as binary attention has it, is one of their signs.

Let a = m + d * s and b = n + e * t, with signs s [..., M, K] and t [..., N, K]. Then

    a @ b^T = d * e * (s @ t^T + m/d * ones @ t^T + n/e * s @ ones^T + m/d * n/e * K)

and all sums in the brackets are whole numbers, exact in float32 up to 2^24, if m/d and n/e are whole: 0 for {-d, d},
1 for {0, 2d} (whole_ratios.py). Else each of the four products has its own factor.

LceQuantize packs the signs and LceDequantize unpacks them before a BATCH_MATMUL of floats, so that any runtime computes
the product; our library never unpacks them (native/delegate/batch_mat_mul.cc). It wants the terms of a sum along the
last axis: an operand that has them elsewhere is transposed before its signs are taken, by one TRANSPOSE with that which
may be there already.
"""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter
from mobile_bnn.converters.quantizers.encoding import Encoding, Plane, encode, quantizer_of
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.binarize.whole_ratios import whole_middle

ROOTS = frozenset({"BATCH_MATMUL"})
# With fewer terms, a result takes longer to write than to compute: 8 were 0.5 to 0.9 times as fast in bits as in float,
# 16 0.6 to 1.0 times, 64 0.9 to 1.8 times (1 to 4 products of 1 to 197 rows, AMD EPYC Zen 3, AVX2).
FEWEST_TERMS = 16
_MOST_TERMS = 1 << 22  # of a sum that float32 holds, in a product and in what is added to it


def rewrite(graph: Graph, root: Operator) -> list[tuple[Operator, Plane]]:
    """Rewrites a BATCH_MATMUL into LceQuantize, LceDequantize, and a BATCH_MATMUL of signs.

    Returns:
        No LceBconv2d: none stands for it.

    Raises:
        NoMatch: an operand is a constant or takes more than two values.
    """
    return multiply(graph, root, turned=(bool(root.options.adjX), not root.options.adjY))


def multiply(graph: Graph, operator: Operator, turned: tuple[bool, bool]) -> list[tuple[Operator, Plane]]:
    """Rewrites an operator that multiplies its first two inputs.

    Args:
        graph: is changed.
        operator: which goes.
        turned: of each input, whether the terms of a sum lie along its last axis but one instead of its last.

    Raises:
        NoMatch: an operand is a constant or takes more than two values.
    """
    operands = operator.input(0), operator.input(1)
    terms = _two_values(graph, operands[0]), _two_values(graph, operands[1])
    depths = [_depth(operand, -2 if turn else -1) for operand, turn in zip(operands, turned, strict=True)]
    if (depth := depths[0]) != depths[1]:
        raise NoMatch(RefusalCode.INPUT_SHAPE_UNFIT, f"its operands have rows of {depth} and {depths[1]}")
    rewriter, name = Rewriter(graph, operator), operator.output.name
    left, right = (_signs(rewriter, *each) for each in zip(terms, operands, turned, strict=True))
    factors, scale = _factors(*terms, depth)
    total = _times(rewriter, _product(rewriter, name, left, right), factors[0])
    if factors[1] or factors[2]:
        ones = _ones(rewriter, name, depth)
        for factor, label, pair in ((factors[1], "columns", (ones, right)), (factors[2], "rows", (left, ones))):
            if factor:
                sums = _times(rewriter, _product(rewriter, f"{name}/{label}", *pair), factor)
                total = rewriter.elementwise("ADD", total, sums)
    if factors[3]:
        total = rewriter.elementwise("ADD", total, np.array([factors[3]]))
    rewriter.finish(rewriter.reshape(_times(rewriter, total, scale), operator.output.shape))
    return []


def _two_values(graph: Graph, operand: Tensor) -> Encoding:
    if operand.content is not None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "an operand is a constant")
    terms = encode(quantizer_of(graph, operand), 1)
    if len(terms.amplitudes) > 1:
        text = f"an operand takes {len(terms.levels.above)} values"
        raise NoMatch(RefusalCode.TOO_MANY_VALUES, text)
    if (terms.middle != terms.middle[0]).any():
        raise NoMatch(RefusalCode.INPUT_CHANNELS_DIFFER, "an operand has other values in each channel")
    return terms


def _depth(operand: Tensor, axis: int) -> int:
    """The number of terms in its sums."""
    if operand.dtype != np.float32 or len(operand.shape) < 2:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "an operand is not a matrix of float32")
    signature = operand.table.shapeSignature
    if signature is not None and len(signature) and signature[axis] < 0:
        raise NoMatch(RefusalCode.INPUT_SHAPE_OPEN, "the number of terms in its sums is not fixed")
    depth = operand.shape[axis]
    if depth > _MOST_TERMS:
        raise NoMatch(RefusalCode.ROUNDING, f"sums of {depth} terms are rounded in float32")
    if depth < FEWEST_TERMS:
        raise NoMatch(RefusalCode.NO_GAIN, f"sums of {depth} terms are as fast in float")
    return depth


def _factors(left: Encoding, right: Encoding, depth: int) -> tuple[list[float], float]:
    """Of the product of signs, the columns' sums, the rows' sums and 1; and one for all of them together.

    The first four are whole numbers if they can be.
    """
    d, e, m, n = left.amplitudes[0], right.amplitudes[0], float(left.middle[0]), float(right.middle[0])
    columns, rows = whole_middle(m, d, left.levels.largest), whole_middle(n, e, right.levels.largest)
    if columns is not None and rows is not None:
        return [1.0, columns, rows, columns * rows * depth], d * e
    return [d * e, m * e, d * n, m * n * depth], 1.0


def _signs(rewriter: Rewriter, terms: Encoding, operand: Tensor, turned: bool) -> Tensor:
    """Unpacked signs of an operand, with the terms of a sum along the last axis."""
    (argument,) = terms.arguments(rewriter, terms.source)
    argument = rewriter.reshape(argument, operand.shape)
    if turned:
        axes = len(operand.shape)
        argument = _transposed(rewriter, argument, [*range(axes - 2), axes - 1, axes - 2])
    return _unpacked(rewriter, rewriter.quantize(argument), argument.shape)


def _unpacked(rewriter: Rewriter, words: Tensor, shape: tuple[int, ...]) -> Tensor:
    output = Tensor.of(f"{words.name}/unpacked", shape, np.float32)
    return rewriter.add(Operator.custom("LceDequantize", [words], [output]))


def _ones(rewriter: Rewriter, name: str, depth: int) -> Tensor:
    """A row of ones, packed."""
    words = Tensor.constant(f"{name}/ones", pack(np.zeros((1, depth), bool)))
    return _unpacked(rewriter, words, (1, depth))


def _transposed(rewriter: Rewriter, tensor: Tensor, order: Sequence[int]) -> Tensor:
    """A tensor with its axes in another order: by one TRANSPOSE, also if it comes from one."""
    above = rewriter.graph.producer(tensor)
    if above is not None and above.op_type == "TRANSPOSE" and above.input(1).content is not None:
        tensor, order = above.input(0), [int(above.constant(1)[axis]) for axis in order]
    if list(order) == sorted(order):
        return tensor
    output = Tensor.of(f"{tensor.name}/turned", [tensor.shape[axis] for axis in order], np.float32)
    permutation = Tensor.constant(f"{tensor.name}/order", np.array(order, np.int32))
    return rewriter.add(Operator.builtin("TRANSPOSE", [tensor, permutation], [output], schema.TransposeOptionsT()))


def _product(rewriter: Rewriter, name: str, left: Tensor, right: Tensor) -> Tensor:
    """left @ right^T of signs."""
    options = schema.BatchMatMulOptionsT()
    options.adjX, options.adjY, options.asymmetricQuantizeInputs = False, True, False
    shape = (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-2])
    output = Tensor.of(name, shape, np.float32)
    return rewriter.add(Operator.builtin("BATCH_MATMUL", [left, right], [output], options))


def _times(rewriter: Rewriter, tensor: Tensor, factor: float) -> Tensor:
    return tensor if factor == 1 else rewriter.elementwise("MUL", tensor, np.array([factor]))
