"""BATCH_MATMUL of unpacked signs, computed from their bits: against LCE's interpreter, which multiplies in float."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate, load_delegate
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_bconv import pack
from single_operator import (
    OperatorSpec,
    TensorSpec,
    chain,
    create_interpreter,
    invoke_outputs,
    operators_of,
    run_lce_outputs,
)

OPTIONS = {"adjX": False, "adjY": True}
# How an operand comes to the product: signs of an input, signs of what an operator between two partitions makes, or
# packed in the file.
FORMS = ("signs", "late", "constant")
# What follows: nothing, or operators that are fused.
TAILS = ((), ("MUL",), ("MUL", "ADD"), ("ADD", "MUL", "RELU"), ("sign",), ("MUL", "ADD", "sign"))


class Product:
    """A file that multiplies two operands of these shapes, and inputs for it."""

    def __init__(
        self, shapes: Sequence[tuple[int, ...]], forms: Sequence[str], tail: Sequence[str] = (), seed: int = 0
    ) -> None:
        self.generator = np.random.default_rng(seed)
        self.operators: list[OperatorSpec] = []
        self.inputs: list[np.ndarray] = []
        operands = [self.operand(shape, form) for shape, form in zip(shapes, forms, strict=True)]
        shape = (*np.broadcast_shapes(shapes[0][:-2], shapes[1][:-2]), shapes[0][-2], shapes[1][-2])
        value = TensorSpec(shape)
        self.operators.append(("BATCH_MATMUL", operands, value, OPTIONS))
        for step in tail:
            value = self.step(step, value)
        self.flatbuffer = chain(self.operators)

    def operand(self, shape: tuple[int, ...], form: str) -> TensorSpec:
        signs, words = TensorSpec(shape), TensorSpec((*shape[:-1], -(-shape[-1] // 32)), np.int32)
        values = self.generator.normal(size=shape).astype(np.float32)
        values[self.generator.random(shape) < 0.1] = -0.0
        if form == "constant":
            words = TensorSpec.constant(pack(values < 0))
        else:
            image = TensorSpec(shape)
            self.inputs.append(values)
            if form == "late":
                negative = TensorSpec(shape)
                self.operators.append(("NEG", [image], negative, b""))
                image = negative
            self.operators.append(("LceQuantize", [image], words, b""))
        self.operators.append(("LceDequantize", [words], signs, b""))
        return signs

    def step(self, name: str, value: TensorSpec) -> TensorSpec:
        columns = value.shape[-1]
        if name == "sign":
            words = TensorSpec((*value.shape[:-1], -(-columns // 32)), np.int32)
            self.operators.append(("LceQuantize", [value], words, b""))
            return words
        output = TensorSpec(value.shape)
        if name == "RELU":
            self.operators.append((name, [value], output, b""))
            return output
        shape = (1,) if name == "MUL" else (columns,)
        operand = TensorSpec.constant(self.generator.normal(size=shape).astype(np.float32))
        self.operators.append((name, [value, operand], output, {"activation": 0}))
        return output


dims = st.sampled_from((1, 2, 5, 6, 7, 31, 32, 33, 64, 65, 70, 130))
depths = st.one_of(st.sampled_from((1, 31, 32, 33, 64, 96, 300)), st.integers(1, 70))
batches = st.sampled_from(
    (((), ()), ((3,), (3,)), ((), (2,)), ((2,), ()), ((2, 1), (1, 3)), ((2, 3), (2, 3)), ((1,), (4,)))
)


@settings(deadline=None, max_examples=150)
@given(
    batch=batches,
    rows=dims,
    columns=dims,
    depth=depths,
    forms=st.tuples(st.sampled_from(FORMS), st.sampled_from(FORMS)),
    tail=st.sampled_from(TAILS),
    seed=st.integers(0, 2**31),
)
def test_equals_lce(
    batch: tuple[tuple[int, ...], tuple[int, ...]],
    rows: int,
    columns: int,
    depth: int,
    forms: tuple[str, str],
    tail: Sequence[str],
    seed: int,
    delegates: dict[str, Delegate],
) -> None:
    if forms == ("constant", "constant"):
        forms = ("signs", "constant")
    product = Product([(*batch[0], rows, depth), (*batch[1], columns, depth)], forms, tail, seed)
    expected = run_lce_outputs(product.flatbuffer, *product.inputs)
    for name, delegate in delegates.items():
        actual = invoke_outputs(create_interpreter(product.flatbuffer, delegate), *product.inputs)
        for ours, theirs in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


@pytest.mark.parametrize("words", [7, 8, 31, 32, 2100])
def test_sums_of_many_words(words: int, delegates: dict[str, Delegate]) -> None:
    # Byte and 16-bit sums are flushed on the way.
    generator = np.random.default_rng(words)
    first, second = (generator.normal(size=(n, 32 * words)).astype(np.float32) for n in (7, 65))
    second[0], second[1] = first[0], -first[0]  # the largest and the smallest sum
    product = Product([first.shape, second.shape], ("signs", "signs"))
    expected = np.sign(first).astype(np.float64) @ np.sign(second).astype(np.float64).T
    for name, delegate in delegates.items():
        (actual,) = invoke_outputs(create_interpreter(product.flatbuffer, delegate), first, second)
        np.testing.assert_array_equal(actual, expected, err_msg=name)


def test_an_operand_by_itself(delegates: dict[str, Delegate]) -> None:
    image, words, signs = TensorSpec((2, 9, 40)), TensorSpec((2, 9, 2), np.int32), TensorSpec((2, 9, 40))
    model = chain(
        [
            ("LceQuantize", [image], words, b""),
            ("LceDequantize", [words], signs, b""),
            ("BATCH_MATMUL", [signs, signs], TensorSpec((2, 9, 9)), OPTIONS),
        ]
    )
    x = np.random.default_rng(0).normal(size=(2, 9, 40)).astype(np.float32)
    for name, delegate in delegates.items():
        (actual,) = invoke_outputs(create_interpreter(model, delegate), x)
        np.testing.assert_array_equal(actual, run_lce_outputs(model, x)[0], err_msg=name)


def test_bits_past_the_last_channel_do_not_count(delegates: dict[str, Delegate]) -> None:
    # Nobody promises that a file's constants or an input's words have none.
    words, signs = TensorSpec((4, 2), np.int32), TensorSpec((4, 40))
    packed = TensorSpec.constant(np.full((3, 2), -1, np.int32))
    constant = TensorSpec((3, 40))
    model = chain(
        [
            ("LceDequantize", [words], signs, b""),
            ("LceDequantize", [packed], constant, b""),
            ("BATCH_MATMUL", [signs, constant], TensorSpec((4, 3)), OPTIONS),
        ]
    )
    x = np.random.default_rng(0).integers(-(2**31), 2**31, (4, 2)).astype(np.int32)
    for name, delegate in delegates.items():
        (actual,) = invoke_outputs(create_interpreter(model, delegate), x)
        np.testing.assert_array_equal(actual, run_lce_outputs(model, x)[0], err_msg=name)


def test_follows_resizes(delegates: dict[str, Delegate]) -> None:
    product = Product([(1, 3, 5, 40), (1, 3, 6, 40)], ("signs", "late"), ("MUL", "ADD"))
    generator = np.random.default_rng(1)
    for name, delegate in delegates.items():
        interpreter = create_interpreter(product.flatbuffer, delegate)
        for batch, rows in ((1, 5), (4, 5), (2, 70), (1, 1)):
            x = generator.normal(size=(batch, 3, rows, 40)).astype(np.float32)
            y = generator.normal(size=(batch, 3, 6, 40)).astype(np.float32)
            signs = [np.where(x < 0, -1.0, 1.0), np.where(-y < 0, -1.0, 1.0)]
            constants = [spec.data for _, inputs, _, _ in product.operators for spec in inputs if spec.data is not None]
            expected = (signs[0] @ signs[1].swapaxes(-1, -2)).astype(np.float32) * constants[0] + constants[1]
            np.testing.assert_array_equal(invoke_outputs(interpreter, x, y)[0], expected, err_msg=name)


def test_signs_are_not_unpacked(library: Path, tmp_path: Path) -> None:
    product = Product([(2, 5, 64), (2, 6, 64)], ("signs", "signs"), ("MUL", "sign"))
    ran = operators_of(product.flatbuffer, library, tmp_path, *product.inputs)
    assert ran == ["LceQuantize", "LceQuantize", "BATCH_MATMUL+MUL+LceQuantize"]


@pytest.mark.parametrize("case", ["adj_x", "not adj_y", "float", "int8"])
def test_others_are_left_to_the_runtime(case: str, library: Path, tmp_path: Path) -> None:
    shapes = [(6, 6), (6, 6)]
    product = Product(shapes, ("signs", "signs"))
    *before, (_, operands, output, _) = product.operators
    options = {"adjX": case == "adj_x", "adjY": case != "not adj_y"}
    if case == "float":
        operands = [operands[0], before[2][1][0]]
    if case == "int8":
        for spec in operands:
            spec.dtype, spec.scale = np.int8, 1.0
        output = TensorSpec((6, 6), np.int8, scale=1.0)
    model = chain([*before, ("BATCH_MATMUL", operands, output, options)])
    ran = operators_of(model, library, tmp_path, *product.inputs)
    assert "BATCH_MATMUL" not in ran
    actual = invoke_outputs(create_interpreter(model, load_delegate(str(library))), *product.inputs)
    for ours, theirs in zip(actual, run_lce_outputs(model, *product.inputs), strict=True):
        np.testing.assert_array_equal(ours, theirs)
