"""Wrong files of right numbers: what is lost, in another order, read from elsewhere, or done with other options."""

from collections.abc import Callable
from random import Random

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Signature, Tensor
from mobile_bnn.converters.rules.bconv import replaced
from tests.converters.exact.wrong_numbers import Applies, Change, holds, is_bconv, put

_ACTIVATIONS = ("RELU", "RELU6", "RELU_N1_TO_1", "PRELU", "MINIMUM", "MAXIMUM")
_POOLS = {"MAX_POOL_2D": "AVERAGE_POOL_2D", "AVERAGE_POOL_2D": "MAX_POOL_2D"}
GraphChange = Callable[[Graph], None]


def _computed(operator: Operator, like: Tensor) -> list[Tensor]:
    """The inputs that are computed, in the shape of a result."""
    found = [tensor for tensor in operator.inputs if tensor is not None and tensor.content is None]
    return [tensor for tensor in found if tensor.shape == like.shape and tensor.dtype == like.dtype]


def _passes(*op_types: str) -> Applies:
    """Of float results: a loop that counts its turns no more never ends."""
    return lambda graph, o: o.op_type in op_types and o.output.dtype == np.float32 and bool(_computed(o, o.output))


def _lost(graph: Graph, operator: Operator, random: Random) -> None:
    """What reads the result reads an input of it."""
    graph.replace(operator.output, random.choice(_computed(operator, operator.output)))
    graph.remove(operator)


def _option(name: str, values: Callable[[int], int]) -> Change:
    """Another option of an LceBconv2d."""

    def change(graph: Graph, operator: Operator, random: Random) -> None:
        options = {name: values(int(operator.custom_options[name]))}
        replaced(graph, operator, operator.output, operator.inputs[1:], **options)

    return change


def _clamp(graph: Graph, operator: Operator, random: Random) -> None:
    now = operator.custom_options["fused_activation_function"]
    other = random.choice([kind for kind in range(4) if kind != now])
    replaced(graph, operator, operator.output, operator.inputs[1:], fused_activation_function=other)


def _stride(graph: Graph, operator: Operator, random: Random) -> None:
    name = random.choice(("stride_height", "stride_width"))
    replaced(graph, operator, operator.output, operator.inputs[1:], **{name: 3 - min(operator.custom_options[name], 2)})


def _fused(graph: Graph, operator: Operator) -> bool:
    return getattr(operator.options, "fusedActivationFunction", 0) != schema.ActivationFunctionType.NONE


def _unfused(graph: Graph, operator: Operator, random: Random) -> None:
    operator.options.fusedActivationFunction = schema.ActivationFunctionType.NONE


def _swapped_operands(graph: Graph, operator: Operator, random: Random) -> None:
    first, second, *rest = operator.inputs
    graph.set_inputs(operator, [second, first, *rest])


def _others(graph: Graph, operator: Operator, place: int) -> list[Tensor]:
    """What was computed before, in the shape of an input."""
    own = operator.inputs[place]
    if own is None or own.content is not None:
        return []
    known = [*graph.inputs, *(t for o in graph.operators if graph.rank(o) < graph.rank(operator) for t in o.outputs)]
    return [tensor for tensor in known if tensor is not own and (tensor.shape, tensor.dtype) == (own.shape, own.dtype)]


def _reads_another(graph: Graph, operator: Operator, random: Random) -> None:
    inputs = list(operator.inputs)
    place = random.choice([place for place in range(len(inputs)) if _others(graph, operator, place)])
    inputs[place] = random.choice(_others(graph, operator, place))
    graph.set_inputs(operator, inputs)


def _other_pool(graph: Graph, operator: Operator, random: Random) -> None:
    other = Operator.builtin(_POOLS[operator.op_type], operator.inputs, operator.outputs, operator.options)
    graph.substitute(operator, other)


def _moved_crop(graph: Graph, operator: Operator, random: Random) -> None:
    begin = operator.constant(1)
    room = [at for at in (1, 2) if operator.input(0).shape[at] > operator.output.shape[at]]
    moved = begin.copy()
    for at in room:
        moved[at] = operator.input(0).shape[at] - operator.output.shape[at] - begin[at]
    put(graph, operator, 1, moved)


def _is_crop(graph: Graph, operator: Operator) -> bool:
    return operator.op_type == "SLICE" and holds(operator, 1) and operator.input(0).shape != operator.output.shape


def _bound(graph: Graph, operator: Operator, random: Random) -> None:
    put(graph, operator, 1, operator.constant(1) + np.int32(random.choice((-1, 1))))


def _is_bound(graph: Graph, operator: Operator) -> bool:
    return operator.op_type == "LESS" and holds(operator, 1) and operator.input(1).dtype == np.int32


def _other_branch(graph: Graph, operator: Operator, random: Random) -> None:
    options = operator.options
    options.thenSubgraphIndex, options.elseSubgraphIndex = options.elseSubgraphIndex, options.thenSubgraphIndex


KINDS: dict[str, tuple[Applies, Change]] = {
    "addition lost": (_passes("ADD", "SUB"), _lost),
    "factor lost": (_passes("MUL"), _lost),
    "activation lost": (_passes(*_ACTIVATIONS), _lost),
    "fused activation lost": (_fused, _unfused),
    "pixels not turned": (_passes("BITWISE_XOR"), _lost),
    "clamp of a convolution": (lambda graph, o: is_bconv(graph, o) and not holds(o, 4), _clamp),
    "stride": (is_bconv, _stride),
    "SAME for VALID": (is_bconv, _option("padding", lambda now: 1 - now)),
    "dilation": (is_bconv, _option("dilation_height_factor", lambda now: now + 1)),
    "number of channels": (is_bconv, _option("channels_in", lambda now: now - 1 or 2)),
    "order of a concatenation": (lambda graph, o: o.op_type == "CONCATENATION", _swapped_operands),
    "order of a difference": (lambda graph, o: o.op_type == "SUB", _swapped_operands),
    "another tensor read": (
        lambda graph, o: any(_others(graph, o, place) for place in range(len(o.inputs))),
        _reads_another,
    ),
    "maximum for mean": (lambda graph, o: o.op_type in _POOLS, _other_pool),
    "crop moved": (_is_crop, _moved_crop),
    "bound of a loop": (_is_bound, _bound),
    "other branch": (lambda graph, o: o.op_type == "IF", _other_branch),
}


def _like(tensors: list[Tensor]) -> bool:
    return len(tensors) > 1 and len({(tensor.shape, tensor.dtype) for tensor in tensors[:2]}) == 1


def _swap_outputs(graph: Graph) -> None:
    graph.outputs[:2] = graph.outputs[1::-1]


def _swap_inputs(graph: Graph) -> None:
    graph.inputs[:2] = graph.inputs[1::-1]


def _swap_names(side: str) -> GraphChange:
    def change(graph: Graph) -> None:
        for signature in graph.signatures:
            named: dict[object, Tensor] = getattr(signature, side)
            (one, first), (other, second), *rest = named.items()
            setattr(signature, side, {one: second, other: first, **dict(rest)})

    return change


def _signed(side: str) -> Callable[[Graph], bool]:
    def like(signature: Signature) -> bool:
        return _like(list(getattr(signature, side).values()))

    return lambda graph: bool(graph.signatures) and all(map(like, graph.signatures))


ENDS: dict[str, tuple[Callable[[Graph], bool], GraphChange]] = {
    "outputs swapped": (lambda graph: _like(graph.outputs), _swap_outputs),
    "inputs swapped": (lambda graph: _like(graph.inputs), _swap_inputs),
    "names of outputs swapped": (_signed("outputs"), _swap_names("outputs")),
    "names of inputs swapped": (_signed("inputs"), _swap_names("inputs")),
}
