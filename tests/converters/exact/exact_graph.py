"""Float graphs whose every number is a small multiple of a power of two, so that float32 computes them exactly.

Weights, levels, thresholds and batch norms are multiples of 1/8 or powers of two, and few terms come together: sums in
any order, and products, are what they are in real numbers. So a file that computes the same function computes the same
bits, and there is nothing that a tolerance could excuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel

_SAME, _VALID = schema.Padding.SAME, schema.Padding.VALID


@dataclass
class ExactGraph:
    """A float graph that is being built.

    Attributes:
        operators: so far, in an order in which they can run.
    """

    operators: list[Operator] = field(default_factory=list)

    def add(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        shape: Sequence[int],
        dtype: type = np.float32,
        options: object = None,
    ) -> Tensor:
        """Puts an operator of one output at the end, and returns that."""
        output = Tensor.of(f"{op_type.lower()} {len(self.operators)}", shape, dtype)
        self.operators.append(Operator.builtin(op_type, inputs, [output], options, _VERSIONS.get(op_type, 1)))
        return output

    def constant(self, values: object, dtype: type = np.float32) -> Tensor:
        """A constant."""
        return Tensor.constant(f"constant {len(self.operators)}", np.asarray(values, dtype))

    def elementwise(self, op_type: str, x: Tensor, *operands: object, dtype: type = np.float32) -> Tensor:
        """An operator that computes each element, with constants or other tensors as further operands."""
        others = [each if isinstance(each, Tensor) else self.constant(each) for each in operands]
        name = f"{op_type.title()}OptionsT"
        options = getattr(schema, name)() if op_type in ("ADD", "SUB", "MUL", "DIV") else None
        return self.add(op_type, [x, *others], x.shape, dtype, options)

    def select(self, condition: Tensor, above: float, below: float) -> Tensor:
        """One of two numbers for each element."""
        parts = [np.full(condition.shape[-1], value, np.float32) for value in (above, below)]
        return self.add("SELECT_V2", [condition, *map(self.constant, parts)], condition.shape)

    def pad(self, x: Tensor, before: int, after: int, value: float) -> Tensor:
        """A map with rows and columns of a number around it."""
        amounts = np.array([(0, 0), (before, after), (before, after), (0, 0)], np.int32)
        shape = np.add(x.shape, amounts.sum(1))
        return self.add("PADV2", [x, self.constant(amounts, np.int32), self.constant(value)], shape)

    def convolve(self, x: Tensor, weights: np.ndarray, bias: np.ndarray, *, same: bool, stride: int) -> Tensor:
        """CONV_2D with a filter [O, H, W, I]."""
        options = schema.Conv2DOptionsT()
        options.padding, options.strideW, options.strideH = (_SAME if same else _VALID), stride, stride
        sizes = [
            -(-size // stride) if same else (size - taps) // stride + 1
            for size, taps in zip(x.shape[1:3], weights.shape[1:3], strict=True)
        ]
        inputs = [x, self.constant(weights), self.constant(bias)]
        return self.add("CONV_2D", inputs, (x.shape[0], *sizes, len(weights)), options=options)

    def enlarge(self, x: Tensor, weights: np.ndarray, *, same: bool, stride: int) -> Tensor:
        """TRANSPOSE_CONV with a filter [O, H, W, I], to the sizes that Keras gives it."""
        options = schema.TransposeConvOptionsT()
        options.padding, options.strideW, options.strideH = (_SAME if same else _VALID), stride, stride
        more = [0 if same else max(taps - stride, 0) for taps in weights.shape[1:3]]
        sizes = [size * stride + extra for size, extra in zip(x.shape[1:3], more, strict=True)]
        shape = (x.shape[0], *sizes, len(weights))
        inputs = [self.constant(shape, np.int32), self.constant(weights), x]
        return self.add("TRANSPOSE_CONV", inputs, shape, options=options)

    def pool(self, x: Tensor, op_type: str) -> Tensor:
        """MAX_POOL_2D or AVERAGE_POOL_2D of 2x2 pixels."""
        options = schema.Pool2DOptionsT()
        options.padding, options.strideW, options.strideH, options.filterWidth, options.filterHeight = (
            _VALID,
            1,
            1,
            2,
            2,
        )
        return self.add(op_type, [x], (x.shape[0], x.shape[1] - 1, x.shape[2] - 1, x.shape[3]), options=options)

    def concatenate(self, *parts: Tensor) -> Tensor:
        """Channels of several maps."""
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        channels = sum(part.shape[3] for part in parts)
        return self.add("CONCATENATION", parts, (*parts[0].shape[:3], channels), options=options)

    def finish(self, image: Tensor, outputs: Sequence[Tensor]) -> bytes:
        """The file."""
        return TfliteModel.of(Graph("main", [image], outputs, self.operators)).write()


_VERSIONS = {"SELECT_V2": 1, "SIGN": 2}
