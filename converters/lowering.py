"""Runs the rules over a float graph, and keeps what each linear operator is declared as, what it becomes, and why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.module_names import module_name
from mobile_bnn.converters.quantizers.encoding import Plane, quantizer_of
from mobile_bnn.converters.quantizers.pieces import seems_quantized
from mobile_bnn.converters.quantizers.steps import quantizer
from mobile_bnn.converters.quantizers.weights import binary_weights
from mobile_bnn.converters.refusals import NoMatch, Refusal, RefusalCode
from mobile_bnn.converters.rules.binarize import convolution, dense, depthwise, product, transposed_convolution
from mobile_bnn.converters.rules.canonicalize import (
    cancel_transposes,
    hoist_data_movement,
    infer_reshape_shape,
    matmul_to_fully_connected,
    recompose_clip,
    recompose_dilated_conv,
    recompose_dilated_transposed_conv,
    recompose_prelu,
    remove_ste,
    sink_pad,
    split_activation,
    split_add_n,
    swap_expand_dims_pad,
    swap_pad_transpose,
    unflatten_fully_connected,
)
from mobile_bnn.converters.rules.compress import pack_float_filters
from mobile_bnn.converters.rules.conv_params import look_through_padding
from mobile_bnn.converters.rules.driver import apply_until_stable
from mobile_bnn.converters.rules.fuse import (
    binarize_before_max_pool,
    distribute_affine_over_sum,
    fold_affine_into_threshold,
    fuse_activation,
    fuse_affine,
    fuse_threshold,
    fuse_threshold_of_sum,
    restore_activation,
    sink_data_movement,
    sink_interleaving,
    sink_reshape,
)
from mobile_bnn.converters.rules.rule import BinaryRule, Rule, name_of
from mobile_bnn.converters.rules.trace import Trace
from mobile_bnn.runtime.describe import tensor_type
from mobile_bnn.typing import Array

# Rewrites the graph into the forms that the binarization rules match.
CANONICALIZE: Sequence[Rule] = (
    infer_reshape_shape,
    split_activation,
    split_add_n,
    cancel_transposes,
    recompose_clip,
    remove_ste,
    recompose_prelu,
    swap_pad_transpose,
    matmul_to_fully_connected,
    unflatten_fully_connected,
    recompose_dilated_conv,
    recompose_dilated_transposed_conv,
    swap_expand_dims_pad,
    hoist_data_movement,
    sink_pad,
)
# From a linear operator to LceBconv2d or a product of signs; no type of operator belongs to two of them.
BINARIZE: Sequence[BinaryRule] = (convolution, dense, depthwise, transposed_convolution, product)
# Moves operators into an LceBconv2d, or between LceBconv2d and LceQuantize.
FUSE: Sequence[Rule] = (
    sink_reshape,
    sink_data_movement,
    sink_interleaving,
    binarize_before_max_pool,
    fuse_threshold,
    fuse_threshold_of_sum,
    fold_affine_into_threshold,
    fuse_activation,
    fuse_affine,
    distribute_affine_over_sum,
)
# What stays float: as few operators as it had, in fewer bytes.
COMPRESS: Sequence[Rule] = (restore_activation, pack_float_filters)

# Why a layer is none of the graph's.
NOT_READ = Refusal(RefusalCode.WEIGHTS_NOT_READ, "no operator reads its weights as they are")

LINEAR = frozenset(
    {
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "BATCH_MATMUL",
        "TRANSPOSE_CONV",
        "CONV_3D",
        "CONV_3D_TRANSPOSE",
    }
)

# Of what it multiplies among an operator's inputs, where the first is the shape of its output.
_DATA = {"TRANSPOSE_CONV": 2, "CONV_3D_TRANSPOSE": 2}


@dataclass(frozen=True)
class Layer:
    """A linear operator of the float graph, or another one that reads a Keras layer's quantized weights.

    Attributes:
        name: of the Keras layer that its weights belong to, else of the module or the tensor that it computes.
        op_type: of the operator.
        operator: of the float graph, as it was when the binary rules began.
        declared: whether it is declared binary: it has quantized weights and a quantized input, or is a Keras layer
            with a quantizer for both.
        refusal: why it stayed float; None if it is binary.
        float_bytes: of its weights in float32.
        data: what it reads, without padding.
        before: pixels of padding around that, above and on the left.
        filters: int32 words of the filters that stand for it, in the order of their operators; in the file whole
            channels may be negated.
        binary_operators: the LceBconv2d that stand for it, as the binary rules made them; the graph knows their heirs.
        reads: which signs the operators of these filters read.
        file_bytes: of its weights in the file.
    """

    name: str
    op_type: str
    operator: Operator
    declared: bool
    refusal: Refusal | None
    float_bytes: int
    data: Tensor
    before: tuple[int, int] = (0, 0)
    filters: list[Array] = field(default_factory=list)
    binary_operators: list[Operator] = field(default_factory=list)
    reads: list[Plane] = field(default_factory=list)
    file_bytes: int = 0

    @property
    def binary(self) -> bool:
        """Whether it was rewritten."""
        return self.refusal is None

    @property
    def is_product(self) -> bool:
        """Whether it multiplies two activations."""
        return _is_product(self.operator)

    @property
    def reason(self) -> str:
        """The text of the refusal; empty if it is binary."""
        return "" if self.refusal is None else self.refusal.text

    @property
    def code(self) -> RefusalCode | None:
        """The kind of the refusal; None if it is binary."""
        return None if self.refusal is None else self.refusal.code


@dataclass(frozen=True)
class Lowering:
    """What became of a float graph.

    Attributes:
        layers: every linear operator, in the order of the graph.
        floats: the graph as it was when the binary rules began; its tensors are those of the layers.
        unused: Keras layers that are declared binary, and whose weights are in no graph of the file any more.
        trace: why rules did not apply.
        subgraphs: the float file's further subgraphs, which operators of the graph may call, from number 1 on.
        bodies: what became of these, by their numbers: of loops' bodies, branches and further signatures.
    """

    layers: list[Layer]
    floats: Graph
    unused: list[str] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    subgraphs: Sequence[Graph] = ()
    bodies: "Mapping[int, Lowering]" = field(default_factory=dict)

    @property
    def every(self) -> "list[Lowering]":
        """This one, and those of the further subgraphs."""
        return [self, *self.bodies.values()]

    @property
    def every_layer(self) -> list[Layer]:
        """The layers of all subgraphs."""
        return [layer for lowering in self.every for layer in lowering.layers]

    def float_file(self, graph: Graph | None = None) -> TfliteModel:
        """The float graph, or another one in its place, with the subgraphs that it calls."""
        return TfliteModel.of(self.floats if graph is None else graph, *self.subgraphs)

    @property
    def binary(self) -> list[Layer]:
        """The layers of the graph itself that have binary filters now: products of activations have none."""
        return [layer for layer in self.layers if layer.binary and not layer.is_product]

    @property
    def unsupported(self) -> dict[str, Refusal]:
        """The layers of all subgraphs that are declared binary and stayed float, with the reason."""
        declared = [layer for layer in self.every_layer if layer.declared]
        unused = dict.fromkeys(self.unused, NOT_READ)
        return unused | {layer.name: layer.refusal for layer in declared if layer.refusal is not None}


def lower_model(model: TfliteModel, quantized: Mapping[str, bool] | None = None) -> Lowering:
    """Makes everything binary that can be, in every subgraph: loops' bodies and branches hold layers too.

    Args:
        model: is changed; the numbers of its subgraphs, by which operators call them, stay what they are.
        quantized: as for `lower`.

    Returns:
        The lowering of the first subgraph, which knows the others.
    """
    main, *others = [
        lower(graph, quantized, _stateful(graph) if number else None) for number, graph in enumerate(model.graphs)
    ]
    main, *others = _with_names_of_their_own([main, *others], quantized or {})
    layers = [layer for lowering in (main, *others) for layer in lowering.layers]
    subgraphs = [lowering.floats for lowering in others]
    bodies = {n: replace(each, unused=[], subgraphs=subgraphs) for n, each in enumerate(others, 1)}
    return replace(main, unused=_unused(quantized or {}, layers), subgraphs=subgraphs, bodies=bodies)


def _with_names_of_their_own(lowerings: Sequence[Lowering], quantized: Collection[str]) -> list[Lowering]:
    """The layers with a number after a name that an earlier one has.

    A Keras layer keeps its name wherever it is called.
    """
    layers = [layer for lowering in lowerings for layer in lowering.layers]
    taken = {layer.name for layer in layers if _is_named(layer, quantized)}
    names = {layer.name for layer in layers}

    def own(layer: Layer) -> Layer:
        if _is_named(layer, quantized):
            return layer
        name, number = layer.name, 1
        while name in taken or (number > 1 and name in names):
            number += 1
            name = f"{layer.name}:{number}"
        taken.add(name)
        return layer if name == layer.name else replace(layer, name=name)

    return [replace(lowering, layers=[own(layer) for layer in lowering.layers]) for lowering in lowerings]


def _is_named(layer: Layer, quantized: Collection[str]) -> bool:
    return any(tensor is not None and tensor.name in quantized for tensor in layer.operator.inputs)


def _stateful(graph: Graph) -> Refusal | None:
    """Why a subgraph is left as it is: what it is given are no numbers, so it cannot be compared by itself."""
    ends = (tensor for tensor in (*graph.inputs, *graph.outputs) if tensor.dtype is None)
    if (tensor := next(ends, None)) is None:
        return None
    text = f"its subgraph is handed {tensor.name or 'a tensor'}, which holds no numbers"
    return Refusal(RefusalCode.SUBGRAPH_NOT_COMPARABLE, text)


def lower(graph: Graph, quantized: Mapping[str, bool] | None = None, refusal: Refusal | None = None) -> Lowering:
    """Makes everything binary that can be.

    Args:
        graph: is changed.
        quantized: names of weights that a Keras layer quantizes, as `layer/weight`, and whether that one is declared
            binary.
        refusal: why every layer stays float; None if those may be binary that can.

    Returns:
        Every linear operator, and the float graph.
    """
    trace = Trace()
    apply_until_stable(graph, CANONICALIZE, trace)
    graph.remove_dead()
    floats = _copy(graph)
    names = quantized or {}
    linear = [operator for operator in graph.operators if _weights(operator, names)]
    found = [_lower_one(graph, operator, names, trace, refusal) for operator in linear]
    graph.remove_dead()
    layers = [_with_filters(graph, layer, made) for layer, _, made in found]
    apply_until_stable(graph, FUSE, trace)
    apply_until_stable(graph, COMPRESS, trace)
    graph.remove_dead()
    layers = _with_bytes(graph, layers, [operator for _, operator, _ in found])
    return Lowering(layers, floats, _unused(names, layers), trace)


def _unused(quantized: Mapping[str, bool], layers: Collection[Layer]) -> list[str]:
    """The Keras layers that are declared binary and of which no operator reads the weights."""
    known = {layer.name for layer in layers}
    declared = [weights.rpartition("/")[0] for weights in quantized if quantized[weights]]
    return [name for name in dict.fromkeys(declared) if name not in known]


def _copy(graph: Graph) -> Graph:
    """The same tensors, in operators of their own."""
    return Graph(graph.name, list(graph.inputs), list(graph.outputs), [each.copy() for each in graph.operators])


def _weights(operator: Operator, quantized: Collection[str]) -> Tensor | None:
    """The weights of a linear operator, or those of a Keras layer that another one reads; None if it reads none."""
    named = [tensor for tensor in operator.inputs if tensor is not None and tensor.name in quantized]
    if named or operator.op_type not in LINEAR:
        return named[0] if named else None
    return operator.inputs[1]


_Made = list[tuple[Operator, Plane]]


def _lower_one(
    graph: Graph, operator: Operator, quantized: Mapping[str, bool], trace: Trace, refusal: Refusal | None
) -> tuple[Layer, Operator, _Made]:
    """An operator as a layer, the operator, and the LceBconv2d that stand for it."""
    weights = _weights(operator, quantized)
    assert weights is not None
    data, before = _data_of(graph, operator) if operator.op_type in LINEAR else (weights, (0, 0))
    named = weights.name in quantized
    name = weights.name.rpartition("/")[0] if named else module_name(operator.output.name)
    size = 0 if weights.content is None else weights.content.size
    declared = quantized[weights.name] if named else _is_declared(graph, operator, weights, data)
    made, refusal = _Made(), refusal or _quantized(operator)
    if refusal is None:
        try:
            made = _binarize(graph, operator, trace)
        except NoMatch as reason:
            refusal = _two_activations(graph, operator, trace) or reason.refusal
    return Layer(name, operator.op_type, operator, declared, refusal, size, data, before), operator, made


def _quantized(operator: Operator) -> Refusal | None:
    """Why an operator of integers stays what it is."""
    for tensor in (*operator.inputs, *operator.outputs):
        if tensor is not None and tensor.quantized and tensor.dtype != np.int32:  # which a bias of others may be
            return Refusal(RefusalCode.QUANTIZED, f"it computes with {tensor_type(tensor.table)}, quantized already")
    return None


def _with_filters(graph: Graph, layer: Layer, made: _Made) -> Layer:
    """A layer with the filters of those LceBconv2d that are still there."""
    alive = [(operator, sign) for operator, sign in made if operator in graph.operators]
    filters = [operator.constant(1) for operator, _ in alive]
    operators = [operator for operator, _ in alive]
    return replace(layer, filters=filters, binary_operators=operators, reads=[sign for _, sign in alive])


def _with_bytes(graph: Graph, layers: list[Layer], operators: list[Operator]) -> list[Layer]:
    """The layers with the sizes of their weights in the file; those of float operators may be packed."""
    unpacked = {id(o.output): o.inputs[0] for o in graph.operators if o.op_type == "LceDequantize"}
    sized = []
    for layer, operator in zip(layers, operators, strict=True):
        packed = [unpacked[id(tensor)] for tensor in operator.inputs if id(tensor) in unpacked]
        stored = packed[0].content if packed and packed[0] is not None else None
        size = layer.float_bytes if stored is None else stored.size
        binary = sum(words.nbytes for words in layer.filters)
        sized.append(replace(layer, file_bytes=binary if layer.binary else size))
    return sized


def _data_of(graph: Graph, operator: Operator) -> tuple[Tensor, tuple[int, int]]:
    """An operator's input before any padding, and that padding."""
    data, weights = operator.input(_DATA.get(operator.op_type, 0)), operator.input(1)
    if operator.op_type not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return data, (0, 0)
    padded = look_through_padding(graph, operator, (weights.shape[1], weights.shape[2]))
    return padded.tensor, padded.params.pad_before


def _is_declared(graph: Graph, operator: Operator, weights: Tensor, data: Tensor) -> bool:
    """Whether an operator of nobody's Keras layer stands between a quantizer and quantized weights.

    What was to be a quantizer counts as one, or a layer would stay float without a word.
    """
    values = _real_values(weights)
    if values is None or values.dtype != np.float32:
        return False
    if operator.op_type == "DEPTHWISE_CONV_2D":  # the only one whose output channels are its filter's last dimension
        values = np.moveaxis(values, -1, 0)
    try:
        binary_weights(values)
    except NoMatch:
        return False
    try:
        quantizer(graph, data)
    except NoMatch:
        return seems_quantized(graph, data)
    return True


def _is_product(operator: Operator) -> bool:
    """Whether an operator multiplies two activations."""
    return operator.op_type in ("BATCH_MATMUL", "FULLY_CONNECTED") and all(
        operator.input(place).content is None for place in (0, 1)
    )


def _two_activations(graph: Graph, operator: Operator, trace: Trace) -> Refusal | None:
    """Why a product of two computed operands stays float, if both are quantized."""
    if not _is_product(operator):
        return None
    left, right = operator.input(0), operator.input(1)
    try:
        quantizer_of(graph, left)
        quantizer_of(graph, right)
    except NoMatch:
        return None
    transposed = operator.op_type == "BATCH_MATMUL" and operator.options.adjX
    macs = int(np.prod(operator.output.shape)) * left.shape[-2 if transposed else -1]
    refusals = (trace.refusal(name_of(rule), operator) for rule in (product, dense))
    why = next(refusal.text for refusal in refusals if refusal is not None)
    return Refusal(RefusalCode.TWO_ACTIVATIONS, f"{why}: {macs:,} MACs of two activations in float")


def _real_values(weights: Tensor) -> Array | None:
    """What weights stand for: those of a file of dynamic range are int8, by a scale for each output channel."""
    values, quantization = weights.values, weights.table.quantization
    if values is None or not weights.quantized or values.dtype != np.int8:
        return values
    scale = np.asarray(quantization.scale, np.float32)
    axis = int(quantization.quantizedDimension)
    if scale.size not in (1, values.shape[axis] if values.ndim else 1):
        return values
    return values.astype(np.float32) * scale.reshape([-1 if at == axis else 1 for at in range(values.ndim)])


def _binarize(graph: Graph, operator: Operator, trace: Trace) -> _Made:
    """Makes a linear operator binary; what was to become one that can be stays float for the reason that it did not."""
    reason = NoMatch(RefusalCode.OPERATOR_UNSUPPORTED, f"{operator.op_type} has no binary form")
    for rule in BINARIZE:
        if operator.op_type in rule.ROOTS:
            try:
                return rule.rewrite(graph, operator)
            except NoMatch as why:
                trace.refused(name_of(rule), operator, why.refusal)
                reason = why
    if refusal := trace.refusal(name_of(matmul_to_fully_connected), operator):
        raise NoMatch(refusal.code, refusal.text)
    raise reason
