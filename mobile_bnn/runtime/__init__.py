"""Device side: opens .tflite files safely, describes what is in them, and reads and writes their metadata record."""

from mobile_bnn.runtime.describe import constant, operator_name, tensor_bytes, tensor_name, tensor_type
from mobile_bnn.runtime.flatbuffer import pack, read_model
from mobile_bnn.runtime.metadata import Accuracy, ModelMetadata, Normalization, read_metadata, with_metadata

__all__ = [
    "Accuracy",
    "ModelMetadata",
    "Normalization",
    "constant",
    "operator_name",
    "pack",
    "read_metadata",
    "read_model",
    "tensor_bytes",
    "tensor_name",
    "tensor_type",
    "with_metadata",
]
