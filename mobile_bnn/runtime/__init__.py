"""Device side: runs .tflite files, opens them safely, describes what is in them, reads and writes their metadata."""

from mobile_bnn.runtime.classify import ClassScore
from mobile_bnn.runtime.describe import constant, operator_name, tensor_bytes, tensor_name, tensor_type
from mobile_bnn.runtime.flatbuffer import pack, read_flatbuffer, read_model
from mobile_bnn.runtime.graph_hash import graph_sha256
from mobile_bnn.runtime.images import read_image
from mobile_bnn.runtime.interpreter import Interpreter
from mobile_bnn.runtime.library import default_isa, kernel_name, library_path
from mobile_bnn.runtime.metadata import (
    Accuracy,
    ModelMetadata,
    Normalization,
    Reference,
    TaskSpec,
    read_metadata,
    with_metadata,
)
from mobile_bnn.runtime.operator_times import OperatorTime
from mobile_bnn.runtime.operators import operator_table
from mobile_bnn.runtime.reference import ReferenceCheck, check_reference, with_reference

__all__ = [
    "Accuracy",
    "ClassScore",
    "Interpreter",
    "ModelMetadata",
    "Normalization",
    "OperatorTime",
    "Reference",
    "ReferenceCheck",
    "TaskSpec",
    "check_reference",
    "constant",
    "default_isa",
    "graph_sha256",
    "kernel_name",
    "library_path",
    "operator_name",
    "operator_table",
    "pack",
    "read_flatbuffer",
    "read_image",
    "read_metadata",
    "read_model",
    "tensor_bytes",
    "tensor_name",
    "tensor_type",
    "with_metadata",
    "with_reference",
]
