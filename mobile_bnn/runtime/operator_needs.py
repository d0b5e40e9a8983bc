"""What runtimes and XNNPACK take for granted of an operator, and crash without; they check the rest of it.

Java has the same (org.mobilebnn.OperatorNeeds), and a test compares them.
"""

from collections.abc import Sequence

from ai_edge_litert.schema_py_generated import (
    BuiltinOperator,
    OperatorCodeT,
    OperatorT,
    SplitOptionsT,
    TensorT,
    TensorType,
)

from mobile_bnn.runtime.describe import builtin_number
from mobile_bnn.runtime.optional_inputs import missing_input

_FEWEST_INPUTS = {
    BuiltinOperator.SLICE: 3,
    BuiltinOperator.STRIDED_SLICE: 4,
    BuiltinOperator.BATCH_MATMUL: 2,
    BuiltinOperator.ASSIGN_VARIABLE: 2,
}
_HANDLES = {TensorType.RESOURCE, TensorType.VARIANT}  # which have no memory for numbers
_MAKE_RESOURCES = {BuiltinOperator.VAR_HANDLE, BuiltinOperator.HASHTABLE}
_MAY_MAKE_HANDLES = {
    BuiltinOperator.CUSTOM,
    # Those that run other subgraphs.
    BuiltinOperator.CALL,
    BuiltinOperator.IF,
    BuiltinOperator.WHILE,
    BuiltinOperator.STABLEHLO_CUSTOM_CALL,
    BuiltinOperator.STABLEHLO_WHILE,
    BuiltinOperator.STABLEHLO_COMPOSITE,
    BuiltinOperator.STABLEHLO_CASE,
}


def unmet_need(code: OperatorCodeT, operator: OperatorT, tensors: Sequence[TensorT]) -> str | None:
    """Why no runtime may see an operator of this code; None if it may.

    Args:
        code: the operator's.
        operator: its inputs and outputs are numbers of tensors, or -1.
        tensors: of its subgraph.
    """
    number = builtin_number(code)
    missing = missing_input(code, operator.inputs)
    if missing is None and len(operator.inputs) < _FEWEST_INPUTS.get(number, 0):
        missing = len(operator.inputs)
    if missing is not None:
        return f"input {missing} of an operator is absent"
    if number == BuiltinOperator.SPLIT:
        options = operator.builtinOptions
        parts = options.numSplits if isinstance(options, SplitOptionsT) else 0
        if parts != len(operator.outputs):
            return f"a SPLIT into {parts} has {len(operator.outputs)} outputs"
    for output in operator.outputs:
        if number in _MAKE_RESOURCES:
            if tensors[output].type != TensorType.RESOURCE:
                return f"tensor {output} is not a handle, which its operator makes"
        elif tensors[output].type in _HANDLES and number not in _MAY_MAKE_HANDLES:
            return f"tensor {output} is a handle, which its operator does not make"
    return None
