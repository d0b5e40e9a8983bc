"""One operator of a graph by itself, run by TFLite's own kernel on other numbers than the graph's."""

from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.verification.runners import outputs_of
from mobile_bnn.typing import Array


class Replay:
    """An operator without its fused activation.

    Args:
        operator: of a graph; it is not changed.
        constants: by the number of the input, what takes the place of a constant.
    """

    def __init__(self, operator: Operator, constants: Mapping[int, Array] | None = None) -> None:
        inputs, given = list[Tensor | None](), list[Tensor]()
        for number, tensor in enumerate(operator.inputs):
            if constants is not None and number in constants:
                inputs.append(Tensor.constant("constant", constants[number]))
            elif tensor is None or tensor.content is not None:
                inputs.append(tensor)
            else:
                dtype = np.float32 if tensor.dtype is None else tensor.dtype
                given.append(Tensor.of(f"given {number}", tensor.shape, dtype))
                inputs.append(given[-1])
        outputs = [tensor.copy() for tensor in operator.outputs]
        own = operator.copy().between(inputs, outputs)
        if hasattr(own.options, "fusedActivationFunction"):
            own.options.fusedActivationFunction = 0
        self._shapes: list[tuple[int, ...]] | None = None
        self._interpreter = Interpreter(
            model_content=TfliteModel.of(Graph("replay", given, outputs, [own])).write(),
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._given = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._types = [detail["dtype"] for detail in self._interpreter.get_input_details()]

    def __call__(self, inputs: Sequence[Array], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """The outputs for its computed inputs; float64 where they are numbers.

        Args:
            inputs: what broadcasts to the shapes.
            shapes: of the computed inputs as they were in a run: where a shape is computed, the graph does not tell it.
        """
        if list(shapes) != self._shapes:
            for index, shape in zip(self._given, shapes, strict=True):
                self._interpreter.resize_tensor_input(index, shape)
            self._interpreter.allocate_tensors()
            self._shapes = list(shapes)
        for index, shape, dtype, values in zip(self._given, shapes, self._types, inputs, strict=True):
            whole = np.broadcast_to(values, shape)
            self._interpreter.set_tensor(index, np.ascontiguousarray(whole.astype(dtype)))
        self._interpreter.invoke()
        return [np.asarray(values, np.float64) for values in outputs_of(self._interpreter)]
