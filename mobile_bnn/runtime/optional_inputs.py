"""Which inputs an operator may lack: where another is absent the runtime reads the tensor of number -1, and crashes.

Java has the same lists (org.mobilebnn.OptionalInputs), and a test compares them.
"""

from collections.abc import Mapping, Sequence

from ai_edge_litert.schema_py_generated import BuiltinOperator, OperatorCodeT

from mobile_bnn.runtime.describe import builtin_number, text
from mobile_bnn.runtime.lce import OPERATORS

ABSENT = -1  # as the number of a tensor

# Each input that may be absent, with those of which one must be absent as well: gates share weights and biases.
_Inputs = Mapping[int, tuple[int, ...]]
_THIRD: _Inputs = {2: ()}
_FOURTH: _Inputs = {3: ()}
_LSTM: _Inputs = dict.fromkeys((1, 5, 9, 10, 11, 16, 17, 20, 21, 22, 23), ()) | {12: (1,)}
_BOTH_WAYS = (1, 5, 9, 10, 11, 16, 17, 18, 22, 26, 27, 28, 33, 34, 39, 41, 42, 43, 45, 46, 47)
_BIDIRECTIONAL_LSTM: _Inputs = dict.fromkeys(_BOTH_WAYS, ()) | {12: (1,), 29: (18,), 40: (1, 41), 44: (18, 45)}

_OPTIONAL: Mapping[int, _Inputs] = {
    BuiltinOperator.CONV_2D: _THIRD,  # a bias
    BuiltinOperator.DEPTHWISE_CONV_2D: _THIRD,
    BuiltinOperator.FULLY_CONNECTED: _THIRD,
    BuiltinOperator.CONV_3D: _THIRD,
    BuiltinOperator.TRANSPOSE_CONV: _FOURTH,  # a bias after the shape of the output
    BuiltinOperator.CONV_3D_TRANSPOSE: _FOURTH,
    BuiltinOperator.SVDF: _FOURTH,
    BuiltinOperator.LSTM: _LSTM,
    BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM: _LSTM,
    BuiltinOperator.BIDIRECTIONAL_SEQUENCE_RNN: {9: (10,), 10: (), 11: ()},
    BuiltinOperator.BIDIRECTIONAL_SEQUENCE_LSTM: _BIDIRECTIONAL_LSTM,
}


def missing_input(code: OperatorCodeT, inputs: Sequence[int]) -> int | None:
    """The number of the first input that is absent though the operator needs it; None if it has all.

    Args:
        code: the operator's.
        inputs: the numbers of its input tensors.
    """
    if ABSENT not in inputs:
        return None
    number = builtin_number(code)
    if number == BuiltinOperator.CUSTOM and text(code.customCode) in OPERATORS:
        return None  # the native library checks its own
    optional = _OPTIONAL.get(number, {})
    for place, tensor in enumerate(inputs):
        if tensor == ABSENT and not (place in optional and _lacks_any(inputs, optional[place])):
            return place
    return None


def _lacks_any(inputs: Sequence[int], places: tuple[int, ...]) -> bool:
    return not places or any(place >= len(inputs) or inputs[place] == ABSENT for place in places)
