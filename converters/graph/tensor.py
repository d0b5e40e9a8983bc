"""A tensor of a graph: the schema's table, and a constant's bytes."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from mmap import MADV_DONTNEED, mmap
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime.describe import tensor_name, tensor_type
from mobile_bnn.typing import Array, FlatbufferObject

_DTYPES: dict[int, np.dtype[Any]] = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.FLOAT16: np.dtype(np.float16),
    schema.TensorType.FLOAT64: np.dtype(np.float64),
    schema.TensorType.INT8: np.dtype(np.int8),
    schema.TensorType.UINT8: np.dtype(np.uint8),
    schema.TensorType.INT16: np.dtype(np.int16),
    schema.TensorType.INT32: np.dtype(np.int32),
    schema.TensorType.INT64: np.dtype(np.int64),
    schema.TensorType.BOOL: np.dtype(np.bool_),
}
_TYPES = {dtype: number for number, dtype in _DTYPES.items()}


@dataclass(eq=False)
class Tensor:
    """A tensor of a graph.

    Attributes:
        table: the schema's table, whose `buffer` means nothing here.
        content: a constant's bytes, uint8 (bytes,), or None for a tensor that is computed.
    """

    table: FlatbufferObject
    content: npt.NDArray[np.uint8] | None = None

    def __repr__(self) -> str:
        kind = "Tensor" if self.content is None else "Constant"
        return f"{kind}({self.name!r}, {list(self.shape)} of {tensor_type(self.table)})"

    @classmethod
    def of(cls, name: str, shape: Iterable[int], dtype: npt.DTypeLike) -> "Tensor":
        """A new tensor that an operator computes."""
        table = schema.TensorT()
        table.name, table.shape, table.type = name, [int(size) for size in shape], _TYPES[np.dtype(dtype)]
        return cls(table)

    @classmethod
    def constant(cls, name: str, values: Array) -> "Tensor":
        """A new constant."""
        tensor = cls.of(name, values.shape, values.dtype)
        tensor.set_values(values)
        return tensor

    def copy(self) -> "Tensor":
        """An equal tensor; a constant's bytes, which nobody writes into, are the same ones."""
        return Tensor(copy(self.table), self.content)

    def set_values(self, values: Array) -> None:
        """Makes this tensor a constant of that shape and type."""
        self.table.shape, self.table.type = list(values.shape), _TYPES[values.dtype]
        self.table.shapeSignature = None
        self.content = np.ascontiguousarray(values).reshape(-1).view(np.uint8)

    def release(self) -> None:
        """Lets a constant that is mapped from a file take no memory until it is read again."""
        view = None if self.content is None else self.content.base
        if isinstance(view, memoryview) and isinstance(view.obj, mmap):
            view.obj.madvise(MADV_DONTNEED)

    @property
    def name(self) -> str:
        """The name in the file."""
        return tensor_name(self.table)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in the file, 1 where a dimension is dynamic."""
        return tuple(self.table.shape)

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The element type, None for one that NumPy has not (int4, strings, resources)."""
        return _DTYPES.get(self.table.type)

    @property
    def quantized(self) -> bool:
        """Whether its integers stand for other numbers, by a scale."""
        scale = None if self.table.quantization is None else self.table.quantization.scale
        integers = self.table.type not in (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)
        return integers and scale is not None and len(scale) > 0

    @property
    def values(self) -> Array | None:
        """A constant's values in the tensor's shape, read-only; None if it is computed or NumPy lacks its type.

        Raises:
            MobileBnnError: the constant has not the bytes of its shape.
        """
        if self.content is None or self.dtype is None or self.table.sparsity is not None:
            return None
        if self.content.size != int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize:
            raise MobileBnnError(
                f"constant {self.name or 'without a name'} has {self.content.size} bytes",
                why=f"its shape {list(self.shape)} of {tensor_type(self.table)} needs other ones",
            )
        # A file's buffers are aligned to 16 bytes unless it was written carelessly: then this is a copy.
        content = np.require(self.content, requirements=["C", "A"])
        values = np.frombuffer(content.data, self.dtype).reshape(self.shape)
        values.flags.writeable = False
        return values
