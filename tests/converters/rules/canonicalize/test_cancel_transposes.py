"""Transposes that undo each other go, with what is between them; the outputs keep every bit."""

from collections.abc import Sequence

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from litert_runs import run

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.canonicalize import cancel_transposes, swap_pad_transpose
from tests.converters.rules.attempt import attempt

LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)  # where the channels go
CHANNELS = np.float32([0.5, -1, 2, 0])


class Builder:
    """A graph of maps with channels last, written operator by operator."""

    def __init__(self, shape: Sequence[int] = (1, 5, 6, 4)) -> None:
        self.x = Tensor.of("x", shape, np.float32)
        self.graph = Graph("main", [self.x], [], [])

    def add(self, kind: str, inputs: list[Tensor], shape: Sequence[int], dtype: type = np.float32) -> Tensor:
        output = Tensor.of(kind.lower(), shape, dtype)
        options = {
            "ADD": schema.AddOptionsT,
            "PADV2": schema.PadV2OptionsT,
            "PAD": schema.PadOptionsT,
            "MUL": schema.MulOptionsT,
        }.get(kind)
        made = Operator.builtin(kind, [*inputs], [output], options() if options else None)
        self.graph.append(made)
        return output

    def transpose(self, tensor: Tensor, order: Sequence[int]) -> Tensor:
        order_tensor = Tensor.constant("order", np.array(order, np.int32))
        dtype = bool if tensor.dtype == np.bool_ else np.float32
        return self.add("TRANSPOSE", [tensor, order_tensor], [tensor.shape[axis] for axis in order], dtype)

    def run(self) -> np.ndarray:
        x = np.random.default_rng(0).normal(size=self.x.shape).astype(np.float32)
        return run(TfliteModel.of(self.graph).write(), x)

    def apply(self) -> str | None:
        """What the rule says of the last TRANSPOSE."""
        last = [operator for operator in self.graph.operators if operator.op_type == "TRANSPOSE"][-1]
        reason = attempt(cancel_transposes, self.graph, last)
        self.graph.remove_dead()
        return reason

    def kinds(self) -> list[str]:
        return [operator.op_type for operator in self.graph.operators]


def constant(values: object) -> Tensor:
    return Tensor.constant("constant", np.asarray(values, np.float32))


def check(builder: Builder, kinds: list[str]) -> None:
    before = builder.run()
    assert builder.apply() is None
    assert builder.kinds() == kinds
    np.testing.assert_array_equal(builder.run(), before)


def test_a_quantizer_of_pytorch() -> None:
    builder = Builder()
    above = builder.add("GREATER_EQUAL", [builder.x, constant(0)], builder.x.shape, bool)
    first = builder.transpose(above, FIRST)
    signs = builder.add("SELECT_V2", [first, constant(1), constant(-1)], first.shape)
    builder.graph.outputs = [builder.transpose(signs, LAST)]
    check(builder, ["GREATER_EQUAL", "SELECT_V2"])


def test_constants_of_channels_are_turned() -> None:
    builder = Builder()
    first = builder.transpose(builder.x, FIRST)
    shifted = builder.add("ADD", [first, constant(CHANNELS.reshape(1, 4, 1, 1))], first.shape)
    scaled = builder.add("MUL", [constant(CHANNELS.reshape(4, 1, 1)), shifted], first.shape)
    builder.graph.outputs = [builder.transpose(scaled, LAST)]
    check(builder, ["ADD", "MUL"])


def test_several_ways_and_another_reader() -> None:
    builder = Builder()
    left, right = builder.transpose(builder.x, FIRST), builder.transpose(builder.x, FIRST)
    total = builder.add("ADD", [left, right], left.shape)
    product = builder.add("MUL", [total, total], left.shape)
    builder.graph.outputs = [builder.transpose(product, LAST), total]
    check(builder, ["TRANSPOSE", "TRANSPOSE", "ADD", "ADD", "MUL"])


def test_two_in_a_row() -> None:
    builder = Builder((2, 3))
    total = builder.add("ADD", [builder.x, constant(1)], builder.x.shape)
    builder.graph.outputs = [builder.transpose(builder.transpose(total, (1, 0)), (1, 0))]
    check(builder, ["ADD"])


def test_another_number_of_dimensions_is_no_opposite() -> None:
    builder = Builder()
    row = builder.transpose(
        builder.add("RESHAPE", [builder.x, Tensor.constant("shape", np.int32([5, 6, 4]))], (5, 6, 4)), (2, 0, 1)
    )
    total = builder.add("ADD", [builder.transpose(builder.x, FIRST), row], (1, 4, 5, 6))
    builder.graph.outputs = [builder.transpose(total, LAST)]
    assert builder.apply() == "the TRANSPOSE before it is not its opposite"


def padded(value: float | None, amounts: Tensor | None = None) -> Builder:
    builder = Builder()
    first = builder.transpose(builder.x, FIRST)
    amounts = amounts or Tensor.constant("amounts", np.array([(0, 0), (0, 0), (1, 2), (0, 3)], np.int32))
    rest = [] if value is None else [constant(value)]
    output = builder.add("PAD" if value is None else "PADV2", [first, amounts, *rest], (1, 4, 8, 9))
    builder.graph.outputs = [builder.transpose(output, LAST)]
    return builder


@pytest.mark.parametrize("value", [None, 1.0])
def test_padding_comes_after(value: float | None) -> None:
    builder = padded(value)
    before = builder.run()
    last = builder.graph.operators[-1]
    assert attempt(swap_pad_transpose, builder.graph, last) is None
    assert builder.kinds()[:2] == ["TRANSPOSE", "TRANSPOSE"]
    assert builder.apply() is None
    assert builder.kinds() == ["PAD" if value is None else "PADV2"]
    np.testing.assert_array_equal(builder.run(), before)


def test_refused_padding_says_why() -> None:
    builder = padded(1.0, Tensor.of("amounts", (4, 2), np.int32))
    answer = attempt(swap_pad_transpose, builder.graph, builder.graph.operators[-1])
    assert answer == "input 1 of PADV2 is not a constant"
    builder = padded(1.0)
    first, pad, last = builder.graph.operators
    assert attempt(swap_pad_transpose, builder.graph, first) == "there is no PAD before it"
    builder.graph.outputs.append(pad.output)
    assert attempt(swap_pad_transpose, builder.graph, last) == "the result of PADV2 is an output of the graph"
