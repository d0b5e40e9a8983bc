"""Exact graphs that multiply activations, as binary attention does: scores of two inputs, and what these weigh."""

from random import Random

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Tensor
from tests.converters.exact.exact_graph import ExactGraph
from tests.converters.exact.exact_networks import ExactLayer, add_layer
from tests.converters.exact.exact_parts import BETWEEN, QUANTIZERS, WEIGHTS, Generator

_TWO_VALUES = ["x >= 0", "x > 0", "heaviside", "falling", "falling strict", "x >= t", "x > t", "{l, u}", "|x| < 1"]
_SMOOTH = [name for name in BETWEEN if not name.endswith("pool")]


def attention(random: Random, generator: Generator) -> Graph:
    """Two inputs of one shape, the products of their signs, those of these products' signs and the first input's, and
    a layer."""
    graph, heads, rows, depth = ExactGraph(), random.choice((1, 2)), random.choice((16, 17)), random.choice((16, 33))
    left, right = (Tensor.of(name, (1, heads, rows, depth), np.float32) for name in ("left", "right"))

    def signs(x: Tensor) -> Tensor:
        return QUANTIZERS[random.choice(_TWO_VALUES)](graph, x, generator)

    def changed(x: Tensor) -> Tensor:
        for name in random.sample(_SMOOTH, random.choice((0, 1, 2))):
            x = BETWEEN[name](graph, x, generator)
        return x

    values = signs(left)
    scores = changed(multiply(graph, signs(left) if random.random() < 0.3 else values, signs(right), adj_y=True))
    x = multiply(graph, signs(scores), values)
    last = ExactLayer(random.choice(list(QUANTIZERS)), random.choice(list(WEIGHTS)), size=1)
    return Graph("attention", [left, right], [add_layer(graph, changed(x), last, generator), scores], graph.operators)


def multiply(graph: ExactGraph, left: Tensor, right: Tensor, *, adj_y: bool = False) -> Tensor:
    """BATCH_MATMUL of [..., M, K] and [..., K, N], or [..., N, K] with `adj_y`."""
    options = schema.BatchMatMulOptionsT()
    options.adjY = adj_y
    columns = right.shape[-2 if adj_y else -1]
    return graph.add("BATCH_MATMUL", [left, right], (*left.shape[:-1], columns), options=options)
