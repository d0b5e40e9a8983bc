"""Types that signatures share.

TensorFlow, Keras 2 and Larq have no types that mypy can check, and loading them takes seconds. So their models, layers
and tensors have names here that tell a reader what an argument is, and mean `Any`: nothing checks them. This module
imports none of the three.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A NumPy array; its docstring says which shape and dtype."""

Floats: TypeAlias = npt.NDArray[np.float32]
"""An array of float32."""

Integers: TypeAlias = npt.NDArray[np.int32]
"""An array of int32: sizes, indices, zero points."""

Json: TypeAlias = Any
"""What `json.loads` gives; a pydantic model or a TypedDict says more, where there is one."""

JsonObject: TypeAlias = dict[str, Any]
"""An object of JSON."""

Options: TypeAlias = dict[str, Any]
"""Keyword arguments of a call: each has the type that the called function declares."""

KerasModel: TypeAlias = Any
"""A `tf.keras.Model` of Keras 2."""

KerasLayer: TypeAlias = Any
"""A `tf.keras.layers.Layer` of Keras 2."""

KerasTensor: TypeAlias = Any
"""A `tf.Tensor`, or a symbolic tensor of a functional model, or what TensorFlow takes for one."""

KerasVariable: TypeAlias = Any
"""A `tf.Variable`."""

KerasOptimizer: TypeAlias = Any
"""An optimizer of Keras 2 or Larq."""

KerasSchedule: TypeAlias = Any
"""A learning-rate schedule of Keras 2."""

KerasConstraint: TypeAlias = Any
"""A constraint on a layer's weights."""

KerasRegularizer: TypeAlias = Any
"""A loss on a layer's weights."""

KerasLoss: TypeAlias = Any
"""A `tf.keras.losses.Loss`."""

KerasMetric: TypeAlias = Any
"""A `tf.keras.metrics.Metric`."""

LarqQuantizer: TypeAlias = Any
"""A quantizer of Larq, or a Keras layer or function that stands for one."""

TfTensor: TypeAlias = Any
"""A `tf.Tensor` of tf.data or of a computation outside of Keras's layers."""

TfDataset: TypeAlias = Any
"""A `tf.data.Dataset`."""

TfFunction: TypeAlias = Any
"""A concrete function of TensorFlow."""

TfConverter: TypeAlias = Any
"""A `tf.lite.TFLiteConverter`."""

TfdsBuilder: TypeAlias = Any
"""A `tfds.core.DatasetBuilder`."""

TfStrategy: TypeAlias = Any
"""A `tf.distribute.Strategy`."""

LiteRTInterpreter: TypeAlias = Any
"""LiteRT's interpreter, or that of another TFLite runtime with the same methods."""

LiteRTModule: TypeAlias = Any
"""A module with TFLite's `Interpreter` and `load_delegate`."""

FlatbufferObject: TypeAlias = Any
"""An object of the TFLite schema's generated module."""

KerasFunction: TypeAlias = Callable[[KerasTensor], KerasTensor]
"""A function of one tensor that TensorFlow can trace."""


class Quantizer(Protocol):
    """A quantizer as Larq's layers take it."""

    precision: int
    """Bits of a value."""

    def __call__(self, inputs: KerasTensor) -> KerasTensor:
        """The quantized tensor, as floats."""


class QuantizationParameters(TypedDict):
    """How integers stand for real numbers, as LiteRT says it: of a tensor, or of each index of one dimension."""

    scales: Floats
    zero_points: Integers
    quantized_dimension: int


class TensorDetail(TypedDict):
    """A tensor as LiteRT's `get_input_details`, `get_output_details` and `get_tensor_details` describe it."""

    name: str
    index: int
    shape: Integers
    shape_signature: Integers
    dtype: type[np.generic]
    quantization: tuple[float, int]
    quantization_parameters: QuantizationParameters
    sparsity_parameters: JsonObject
