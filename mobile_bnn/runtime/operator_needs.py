"""What XNNPACK takes for granted of an operator, and crashes without; the runtime checks the rest of it.

Java has the same (org.mobilebnn.OperatorNeeds), and a test compares them.
"""

from ai_edge_litert.schema_py_generated import BuiltinOperator, OperatorCodeT, OperatorT, SplitOptionsT

from mobile_bnn.runtime.describe import builtin_number
from mobile_bnn.runtime.optional_inputs import missing_input

_FEWEST_INPUTS = {
    BuiltinOperator.SLICE: 3,
    BuiltinOperator.STRIDED_SLICE: 4,
    BuiltinOperator.BATCH_MATMUL: 2,
    BuiltinOperator.ASSIGN_VARIABLE: 2,
}


def unmet_need(code: OperatorCodeT, operator: OperatorT) -> str | None:
    """Why no runtime may see an operator of this code; None if it may."""
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
    return None
