"""Names and sizes in a .tflite model: what an operator is called, what a tensor is, the bytes of a constant."""

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.schema_py_generated import BuiltinOperator, ModelT, OperatorCodeT, OperatorT, TensorT, TensorType


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


_OPERATOR_NAMES = _names(BuiltinOperator)
_TYPE_NAMES = _names(TensorType)
# Every type without its width in its name; strings, resources and variants have no size of their own.
_BITS = {"BOOL": 8, "STRING": 0, "RESOURCE": 0, "VARIANT": 0, "FLOAT8_E4M3FN": 8, "FLOAT8_E5M2": 8}


def text(name: bytes | str | None) -> str:
    """A name of the file as text; bytes that are not UTF-8 are replaced."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name or ""


def builtin_number(code: OperatorCodeT) -> int:
    """The builtin operator of a code, CUSTOM for those with a name of their own."""
    # Files from before builtin operator 127 use the deprecated one-byte field only; the larger one is meant.
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def operator_name(model: ModelT, operator: OperatorT) -> str:
    """The builtin name of an operator, such as CONV_2D, or its custom code, such as LceBconv2d."""
    code = model.operatorCodes[operator.opcodeIndex]
    number = builtin_number(code)
    if number == BuiltinOperator.CUSTOM:
        return text(code.customCode) or "CUSTOM"
    return _OPERATOR_NAMES.get(number, f"BUILTIN_{number}")


def tensor_name(tensor: TensorT) -> str:
    """The name that the converter gave a tensor; may be empty."""
    return text(tensor.name)


def tensor_type(tensor: TensorT) -> str:
    """The element type in lower case, e.g. float32."""
    return _TYPE_NAMES.get(tensor.type, f"type_{tensor.type}").lower()


def tensor_bytes(tensor: TensorT) -> int:
    """The bytes of a tensor of the shape in the file, where a dynamic dimension is 1; 0 for a type of no fixed size."""
    name = _TYPE_NAMES.get(tensor.type, "VARIANT")
    bits = _BITS[name] if name in _BITS else int(re.sub(r"\D", "", name))
    elements: int = math.prod(tensor.shape)
    return (elements * bits + 7) // 8


def constant(model: ModelT, tensor: TensorT) -> npt.NDArray[np.uint8] | None:
    """The raw bytes of a constant tensor, uint8 of shape (bytes,), or None for a tensor that is computed."""
    data: Any = model.buffers[tensor.buffer].data
    return None if data is None or len(data) == 0 else np.asarray(data, np.uint8)
