"""Types that signatures share."""

from typing import Any, TypeAlias

import numpy.typing as npt

Array = npt.NDArray[Any]
"""A NumPy array; its docstring says which shape and dtype."""

# TensorFlow, Keras 2 and Larq have no types that a checker could follow: these names say what is meant.
KerasModel: TypeAlias = Any
KerasLayer: TypeAlias = Any
KerasTensor: TypeAlias = Any
KerasVariable: TypeAlias = Any
KerasOptimizer: TypeAlias = Any
KerasConstraint: TypeAlias = Any
KerasRegularizer: TypeAlias = Any
KerasLoss: TypeAlias = Any
KerasMetric: TypeAlias = Any
LarqQuantizer: TypeAlias = Any
TfTensor: TypeAlias = Any
TfDataset: TypeAlias = Any
