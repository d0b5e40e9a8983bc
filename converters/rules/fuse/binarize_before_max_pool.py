"""A maximum pool before LceQuantize comes after it, where it works on bits.

    sign(max(x)) = max(sign(x))            where the sign rises with x,
    sign(max(x)) = -max(-sign(x))          where it falls,

also with a threshold and with element-wise operators in between, which one step function describes. So the signs are
those of x - threshold in every channel, and of a channel that falls the bits of the pool are turned around. Its readers
turn that input channel of their filters around instead, unless what is outside the map counts as +1 for them: then an
exclusive or turns the bits back.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph, producer_above
from mobile_bnn.converters.quantizers.threshold import Threshold, sign_threshold, without_subnormals
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.bconv import KIND_OF, has_groups, negated_inputs, pads_with_zeros, replaced
from mobile_bnn.typing import Array

ROOTS = frozenset({"LceQuantize"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Moves the MAX_POOL_2D before an LceQuantize, and before element-wise operators in between, after it.

    Raises:
        NoMatch: there is none, others read its result, or the sign is not a step of it.
    """
    pool, subgraph = producer_above(graph, root, "MAX_POOL_2D")
    graph.check_unshared([pool.output, *(inner.output for inner in subgraph.operators)], (root, *subgraph.operators))
    signs = _signs(pool, subgraph)
    falls = signs.factor < 0
    readers = graph.consumers(root.output)
    inside = root.output not in graph.outputs and all(_can_be_turned(reader) for reader in readers)
    turned_back = falls.any() and not inside
    if falls.any() and not turned_back:
        for reader in readers:
            replaced(graph, reader, reader.output, [negated_inputs(reader, falls), *reader.inputs[2:]])
    _move(graph, root, pool, subgraph, signs, falls if turned_back else np.zeros_like(falls))


def _signs(pool: Operator, subgraph: ElementwiseSubgraph) -> Threshold:
    """The signs after a pool as signs of its result, before the activation that it has fused."""
    activation = pool.options.fusedActivationFunction
    if activation:
        if activation not in KIND_OF:
            raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "the pool's fused activation is not a RELU")
        raw = Tensor.of("pool", pool.output.shape, np.float32)
        relu = Operator.builtin(KIND_OF[activation], [raw], [pool.output])
        subgraph = ElementwiseSubgraph(raw, subgraph.output, [relu, *subgraph.operators])
    if subgraph.operators:
        return sign_threshold(subgraph)
    channels = subgraph.channels
    return Threshold(subgraph.source, 0.0, 1.0, np.ones(channels, np.float32), np.zeros(channels, np.float32))


def _can_be_turned(reader: Operator) -> bool:
    """Whether the channels of an operator's input can be turned around in its filter instead."""
    if reader.op_type != "LceBconv2d" or has_groups(reader):
        return False
    return bool(pads_with_zeros(reader) or reader.custom_options["padding"])


def _move(
    graph: Graph, quantize: Operator, pool: Operator, subgraph: ElementwiseSubgraph, signs: Threshold, turned: Array
) -> None:
    image = pool.input(0)
    # A falling channel's shift is the last float below its threshold, another's the threshold's negative.
    threshold = np.nextafter(signs.shift, np.float32(np.inf), dtype=np.float32)
    shift = without_subnormals(np.where(signs.factor < 0, -threshold, signs.shift))
    argument, new = Threshold(image, 0.0, 1.0, np.ones_like(shift), shift).argument()
    words = Tensor.of(f"{argument.name}/signs", (*argument.shape[:-1], quantize.output.shape[-1]), np.int32)
    new.append(Operator.custom("LceQuantize", [argument], [words]))
    options = {
        "padding": 1 if pool.options.padding == schema.Padding.VALID else 0,
        "stride_width": pool.options.strideW,
        "stride_height": pool.options.strideH,
        "filter_width": pool.options.filterWidth,
        "filter_height": pool.options.filterHeight,
    }
    shape = quantize.output.shape
    pooled = Tensor.of(f"{argument.name}/pooled", shape, np.int32) if turned.any() else quantize.output
    new.append(Operator.custom("LceBMaxPool2d", [words], [pooled], options))
    if turned.any():
        mask = Tensor.constant("turned channels", pack(turned))
        new.append(Operator.builtin("BITWISE_XOR", [pooled, mask], [quantize.output]))
    graph.insert_before(pool, *new)
    graph.remove(pool, *subgraph.operators, quantize)
