"""Element-wise float operators next to binary ones: claimed, fused, and the same bits as in LCE's interpreter."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy_bconv import BconvCase, pack
from single_operator import (
    OperatorSpec,
    TensorSpec,
    chain,
    create_interpreter,
    invoke,
    invoke_outputs,
    operators_of,
    run_lce_outputs,
)

RELUS = ("RELU", "RELU_N1_TO_1", "RELU6")
ARITHMETIC = ("ADD", "SUB", "MUL")
OPERANDS = ("row", "scalar", "image", "earlier", "gate", "itself")

# An operator's name, what its operand is, its fused activation, and whether the operands change places.
Step = tuple[str, str, int, bool]


class GlueModel:
    """Quantize, a convolution, element-wise operators, Quantize, a convolution; inputs are an image and a gate."""

    def __init__(self, seed: int, batch: int, size: tuple[int, int], channels: int, steps: list[Step], ends: set[str]):
        self.generator = np.random.default_rng(seed)
        self.channels = channels
        shape = (batch, *size, channels)
        self.image = TensorSpec(shape, signature=(-1, -1, -1, channels))
        self.gate = TensorSpec((batch, 1, 1, channels), signature=(-1, 1, 1, channels))
        first = BconvCase(seed, batch=batch, size=size, channels=channels, outputs=channels)
        second = BconvCase(seed + 1, batch=batch, size=size, channels=channels, outputs=7, filter_size=(1, 1))
        self.operators: list[OperatorSpec] = []
        value = self.convolution(first, self.image)
        self.values = [value]
        for name, operand, activation, swapped in steps:
            value = self.step(value, name, operand, activation, swapped)
            self.values.append(value)
        outputs = [value] if "value" in ends else []
        if "inner" in ends:
            outputs.append(self.values[len(self.values) // 2])
        if "second" in ends:
            self.convolution(second, value)
        self.flatbuffer = chain(self.operators, outputs)

    def convolution(self, case: BconvCase, image: TensorSpec) -> TensorSpec:
        words = TensorSpec(case.input.shape, np.int32)
        output = case.output_spec()
        self.operators.append(("LceQuantize", [image], words, b""))
        self.operators.append(("LceBconv2d", [words, *case.inputs()[1:]], output, case.options()))
        return output

    def constant(self, *shape: int) -> TensorSpec:
        return TensorSpec.constant(self.generator.normal(size=shape).astype(np.float32))

    def operand(self, kind: str, value: TensorSpec) -> TensorSpec:
        if kind == "row":
            return self.constant(*(1,) * int(self.generator.integers(4)), self.channels)
        if kind == "scalar":
            return self.constant(1)
        if kind == "image":
            return self.image
        if kind == "gate":
            return self.gate
        return value if kind == "itself" else self.values[0]

    def step(self, value: TensorSpec, name: str, kind: str, activation: int, swapped: bool) -> TensorSpec:
        output = TensorSpec(value.shape)
        if name in RELUS:
            self.operators.append((name, [value], output, b""))
        elif name == "PRELU":
            self.operators.append((name, [value, self.constant(1, 1, self.channels)], output, b""))
        else:
            inputs = [value, self.operand(kind, value)]
            self.operators.append((name, inputs[::-1] if swapped else inputs, output, {"activation": activation}))
        return output

    def inputs(self) -> list[np.ndarray]:
        """Whatever of image and gate the operators read, with both zeros among the numbers."""
        read = [spec for _, inputs, _, _ in self.operators for spec in inputs]
        arrays = []
        for spec in (self.image, self.gate):
            if any(spec is other for other in read):
                array = self.generator.normal(size=spec.shape).astype(np.float32)
                array[self.generator.random(array.shape) < 0.1] = -0.0
                arrays.append(array)
        return arrays


steps = st.tuples(
    st.sampled_from((*ARITHMETIC, *ARITHMETIC, "PRELU", *RELUS)),
    st.sampled_from(OPERANDS),
    st.integers(0, 3),
    st.booleans(),
)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 3),
    size=st.tuples(st.integers(1, 5), st.integers(1, 9)),
    channels=st.sampled_from((1, 20, 32, 33, 64, 70, 96, 130)),
    glue=st.lists(steps, max_size=10),
    ends=st.sets(st.sampled_from(("value", "inner", "second")), min_size=1),
)
def test_equals_lce_to_the_last_bit(
    seed: int,
    batch: int,
    size: tuple[int, int],
    channels: int,
    glue: list[Step],
    ends: set[str],
    delegates: dict[str, Delegate],
) -> None:
    model = GlueModel(seed, batch, size, channels, glue, ends)
    inputs = model.inputs()
    expected = run_lce_outputs(model.flatbuffer, *inputs)
    for name, delegate in delegates.items():
        actual = invoke_outputs(create_interpreter(model.flatbuffer, delegate), *inputs)
        assert len(actual) == len(expected)
        for ours, theirs in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(flushed_as(ours, theirs), theirs, err_msg=name)


def flushed_as(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """LCE's interpreter makes a subnormal result of a float operator 0; ours is that of IEEE 754 (see below)."""
    subnormal = np.abs(ours) < np.finfo(np.float32).smallest_normal
    return np.where(subnormal & (theirs == 0), np.float32(0), ours)


def test_subnormal_results_are_those_of_ieee_754(delegates: dict[str, Delegate]) -> None:
    model = GlueModel(
        0, 1, (5, 9), 64, [("MUL", "row", 0, False), *[("MUL", "itself", 0, False)] * 5], {"inner", "value"}
    )
    for name, delegate in delegates.items():
        inner, last = invoke_outputs(create_interpreter(model.flatbuffer, delegate), *model.inputs())
        expected = inner  # what three of the five squares start from
        for _ in range(3):
            expected = expected * expected
        assert ((expected != 0) & (np.abs(expected) < np.finfo(np.float32).smallest_normal)).any()
        np.testing.assert_array_equal(last, expected, err_msg=name)


RESIDUAL = ("ADD", "image", 0, False)
NORM = (("MUL", "row", 0, False), ("ADD", "row", 0, False))


@pytest.mark.parametrize(
    ("glue", "ends", "expected"),
    [
        ([RESIDUAL], {"second", "value"}, ["LceQuantize", "LceBconv2d+ADD+LceQuantize", "LceBconv2d"]),
        (
            [*NORM, ("PRELU", "", 0, False), RESIDUAL],
            {"second"},
            ["LceQuantize", "LceBconv2d+MUL+ADD+PRELU+ADD+LceQuantize", "LceBconv2d"],
        ),
        ([], {"second", "value"}, ["LceQuantize", "LceBconv2d+LceQuantize", "LceBconv2d"]),
        ([("MUL", "gate", 0, True)], {"value"}, ["LceQuantize", "LceBconv2d+MUL"]),
        # Read twice, so it must be stored, and the reader is as well off in the runtime.
        ([("RELU", "", 0, False), ("MUL", "itself", 0, False)], {"value"}, ["LceQuantize", "LceBconv2d+RELU"]),
    ],
)
def test_what_is_fused(glue: list[Step], ends: set[str], expected: list[str], library: Path, tmp_path: Path) -> None:
    model = GlueModel(0, 1, (4, 4), 32, glue, ends)
    assert operators_of(model.flatbuffer, library, tmp_path, *model.inputs()) == expected


def test_more_steps_than_fit_are_split(library: Path, tmp_path: Path) -> None:
    model = GlueModel(0, 1, (3, 3), 32, [RESIDUAL] * 11, {"second"})
    assert operators_of(model.flatbuffer, library, tmp_path, *model.inputs()) == [
        "LceQuantize",
        "LceBconv2d" + "+ADD" * 8,
        "ADD+ADD+ADD+LceQuantize",
        "LceBconv2d",
    ]


def test_float_operators_elsewhere_are_left_to_the_runtime(library: Path, tmp_path: Path) -> None:
    image, sum_of, relu = (TensorSpec((1, 4, 4, 32)) for _ in range(3))
    words, pooled = TensorSpec((1, 4, 4, 1), np.int32), TensorSpec((1, 2, 2, 1), np.int32)
    pool = {"padding": 1, "filter_height": 2, "filter_width": 2, "stride_height": 2, "stride_width": 2}
    model = chain(
        [
            ("ADD", [image, image], sum_of, {"activation": 0}),  # goes to RELU and out too
            ("RELU", [sum_of], relu, b""),
            ("LceQuantize", [sum_of], words, b""),
            ("LceBMaxPool2d", [words], pooled, pool),
        ]
    )
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 32)).astype(np.float32)
    assert operators_of(model, library, tmp_path, x) == ["LceQuantize", "LceBMaxPool2d"]


def test_an_affine_map_in_front_of_a_sign_is_fused_too(library: Path, tmp_path: Path, delegate: Delegate) -> None:
    image, shifted = TensorSpec((2, 3, 3, 40)), TensorSpec((2, 3, 3, 40))
    shift = np.random.default_rng(1).normal(size=40).astype(np.float32)
    words = TensorSpec((2, 3, 3, 2), np.int32)
    model = chain(
        [
            ("ADD", [TensorSpec.constant(shift), image], shifted, {"activation": 0}),
            ("LceQuantize", [shifted], words, b""),
        ]
    )
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 40)).astype(np.float32)
    assert operators_of(model, library, tmp_path, x) == ["ADD+LceQuantize"]
    np.testing.assert_array_equal(invoke(create_interpreter(model, delegate), x), pack(x + shift < 0))


def test_a_residual_network_follows_every_resize(delegates: dict[str, Delegate]) -> None:
    glue = [RESIDUAL, ("MUL", "gate", 1, False), ("ADD", "scalar", 0, False)]
    model = GlueModel(3, 1, (4, 4), 40, glue, {"second", "value"})
    interpreters = {name: create_interpreter(model.flatbuffer, delegate) for name, delegate in delegates.items()}
    generator = np.random.default_rng(0)
    for shape in [(1, 4, 4), (3, 5, 2), (1, 1, 1), (2, 4, 4)]:
        image = generator.normal(size=(*shape, 40)).astype(np.float32)
        gate = generator.normal(size=(shape[0], 1, 1, 40)).astype(np.float32)
        expected = run_lce_outputs(
            GlueModel(3, shape[0], shape[1:], 40, glue, {"second", "value"}).flatbuffer, image, gate
        )
        for name, interpreter in interpreters.items():
            for ours, theirs in zip(invoke_outputs(interpreter, image, gate), expected, strict=True):
                np.testing.assert_array_equal(ours, theirs, err_msg=f"{name}, {shape}")


def sum_of_two(swapped: bool = False) -> tuple[bytes, np.ndarray]:
    """A model that subtracts two convolutions of the same words, and an input for it."""
    first, second = (BconvCase(seed, channels=40, outputs=33) for seed in (0, 1))
    image = TensorSpec(first.input.shape, np.int32)
    left, right, total = first.output_spec(), second.output_spec(), first.output_spec()
    operators = [
        ("LceBconv2d", [image, *first.inputs()[1:]], left, first.options()),
        ("LceBconv2d", [image, *second.inputs()[1:]], right, second.options()),
        ("SUB", [right, left] if swapped else [left, right], total, {"activation": 1}),
    ]
    return chain(operators), first.input


@pytest.mark.parametrize("swapped", [False, True])
def test_the_sum_of_two_convolutions(
    swapped: bool, library: Path, tmp_path: Path, delegates: dict[str, Delegate]
) -> None:
    model, x = sum_of_two(swapped)
    (expected,) = run_lce_outputs(model, x)
    assert operators_of(model, library, tmp_path, x) == ["LceBconv2d", "LceBconv2d+SUB"]
    for name, delegate in delegates.items():
        actual = invoke(create_interpreter(model, delegate), x)
        np.testing.assert_array_equal(actual, expected, err_msg=name)
