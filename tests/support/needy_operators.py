"""Models whose operators lack what runtimes take for granted: inputs that are absent, or too few of them."""

from collections.abc import Iterator, Sequence

import numpy as np
from ai_edge_litert.schema_py_generated import BuiltinOperator, ModelT

from mobile_bnn.runtime import pack, read_model
from tests.native.single_operator import TensorSpec, single_operator

_STEPS, _FEATURES, _UNITS = 5, 4, 6
_TANH = {"fusedActivationFunction": 4}
BUILTINS = {name: value for name, value in vars(BuiltinOperator).items() if isinstance(value, int)}


def without_an_input(model: bytes) -> Iterator[tuple[str, bytes]]:
    """Copies of a model, by name, in which one input of one operator is absent, or the last ones are cut off."""
    for number, operator in enumerate(read_model(model).subgraphs[0].operators):
        for place, tensor in enumerate(operator.inputs):
            if tensor < 0:
                continue
            absent, cut = read_model(model), read_model(model)
            absent.subgraphs[0].operators[number].inputs[place] = -1
            yield f"operator {number} without input {place}", pack(absent)
            cut.subgraphs[0].operators[number].inputs = operator.inputs[:place]
            yield f"operator {number} of {place} inputs", pack(cut)


def as_another_operator(model: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Copies, by name, in which the operators of one kind are of another one, whatever their inputs and options."""
    before = BUILTINS[name]
    for other, value in BUILTINS.items():
        tree = read_model(model)
        for code in tree.operatorCodes:
            if max(code.builtinCode, code.deprecatedBuiltinCode) == before:
                code.builtinCode, code.deprecatedBuiltinCode = value, min(value, 127)
        yield f"{name} as {other}", pack(tree)


def with_output_type(model: bytes, tensor_type: int) -> bytes:
    """The model with another type of its first output, whatever its operator makes."""
    tree = ModelT.InitFromPackedBuf(model)
    graph = tree.subgraphs[0]
    graph.tensors[graph.outputs[0]].type = tensor_type
    return pack(tree)


def recurrent_operator(name: str, absent: Sequence[int] = ()) -> bytes:
    """A model of one recurrent operator with all inputs that it may have, but for those that are absent."""
    shapes, states, options = _RECURRENT[name]
    specs: list[TensorSpec | None] = [
        TensorSpec(shape) if place == 0 else _kept(shape, place in states) for place, shape in enumerate(shapes)
    ]
    for place in absent:
        specs[place] = None
    rows = (1,) if len(shapes[0]) == 2 else (1, _STEPS)
    return single_operator(name, specs, TensorSpec((*rows, _outputs(name))), options)


def recurrent_inputs(name: str) -> int:
    """How many inputs that model's operator has."""
    return len(_RECURRENT[name][0])


def _kept(shape: tuple[int, ...], variable: bool) -> TensorSpec:
    return TensorSpec(shape, variable=True) if variable else TensorSpec.constant(np.full(shape, 0.1, np.float32))


def _outputs(name: str) -> int:
    return 2 * _UNITS if name.startswith("BIDIRECTIONAL") else _UNITS


_GATES: list[tuple[int, ...]] = [(_UNITS, _FEATURES)] * 4 + [(_UNITS, _UNITS)] * 4 + [(_UNITS,)] * 7
_GATES += [(_UNITS, _UNITS), (_UNITS,)]  # the projection
_STATE = (1, _UNITS)
_SEQUENCE = (1, _STEPS, _FEATURES)
_NORMS = [(_UNITS,)] * 4
_AUXILIARY = [(_UNITS, _FEATURES)] * 8
_CELL = [(_UNITS, _FEATURES), (_UNITS, _UNITS), (_UNITS,), _STATE]
_BOTH = {"timeMajor": False, "mergeOutputs": True}
_Recurrent = tuple[list[tuple[int, ...]], set[int], dict[str, object]]
_RECURRENT: dict[str, _Recurrent] = {
    "LSTM": ([(1, _FEATURES), *_GATES, _STATE, _STATE, *_NORMS], {18, 19}, _TANH),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": ([_SEQUENCE, *_GATES, _STATE, _STATE, *_NORMS], {18, 19}, _TANH),
    "BIDIRECTIONAL_SEQUENCE_LSTM": (
        [_SEQUENCE, *_GATES, *_GATES, *[_STATE] * 4, _SEQUENCE, *_AUXILIARY],
        {35, 36, 37, 38},
        _TANH | _BOTH,
    ),
    "BIDIRECTIONAL_SEQUENCE_RNN": (
        [_SEQUENCE, *_CELL, *_CELL, _SEQUENCE, (_UNITS, _FEATURES), (_UNITS, _FEATURES)],
        {4, 8},
        _BOTH,
    ),
    "SVDF": (
        [(1, _FEATURES), (_UNITS, _FEATURES), (_UNITS, _STEPS), (_UNITS,), (1, _STEPS * _UNITS)],
        {4},
        {"rank": 1},
    ),
}
RECURRENT = tuple(_RECURRENT)
