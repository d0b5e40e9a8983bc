"""Names, types and sizes as the two converters wrote them."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.runtime import constant, operator_name, read_model, tensor_bytes, tensor_name, tensor_type


def test_operators_have_their_builtin_or_custom_names(binary_tflite: Path, float_tflite: Path) -> None:
    binary, float_ = read_model(binary_tflite), read_model(float_tflite)
    names = [operator_name(binary, operator) for operator in binary.subgraphs[0].operators]
    assert names == ["LceQuantize", "LceBconv2d", "LceBconv2d", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]
    # SIGN has a number above 127, which the deprecated field cannot hold.
    assert {"SIGN", "PADV2", "CONV_2D"} <= {operator_name(float_, each) for each in float_.subgraphs[0].operators}


def test_an_operator_that_the_schema_does_not_know_has_a_number() -> None:
    model = schema.ModelT(operatorCodes=[schema.OperatorCodeT(builtinCode=9999, deprecatedBuiltinCode=127)])
    assert operator_name(model, schema.OperatorT(opcodeIndex=0)) == "BUILTIN_9999"


def test_tensors_have_names_types_and_bytes(binary_tflite: Path) -> None:
    model = read_model(binary_tflite)
    graph = model.subgraphs[0]
    image = graph.tensors[graph.inputs[0]]
    assert (tensor_name(image), tensor_type(image), tensor_bytes(image)) == (
        "serving_default_image:0",
        "float32",
        8 * 8 * 32 * 4,
    )
    assert constant(model, image) is None
    bconv = graph.operators[1]
    filters = graph.tensors[bconv.inputs[1]]
    data = constant(model, filters)
    assert tensor_type(filters) == "int32"
    assert data is not None
    assert (data.dtype, data.nbytes) == (np.uint8, tensor_bytes(filters))


@pytest.mark.parametrize(
    ("name", "size"),
    [("FLOAT16", 6), ("INT8", 3), ("BOOL", 3), ("COMPLEX64", 24), ("INT4", 2), ("BFLOAT16", 6), ("STRING", 0)],
)
def test_the_bytes_of_three_elements(name: str, size: int) -> None:
    assert tensor_bytes(schema.TensorT(shape=[3], type=getattr(schema.TensorType, name))) == size


def test_a_type_that_the_schema_does_not_know_is_numbered() -> None:
    tensor = schema.TensorT(name=b"\xff", shape=[3], type=120)
    assert (tensor_type(tensor), tensor_name(tensor)) == ("type_120", "�")
    assert tensor_bytes(tensor) == 0
