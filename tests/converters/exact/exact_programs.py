"""Exact files of more than a chain of layers: loops, branches, several inputs, outputs and signatures."""

from dataclasses import dataclass, replace
from random import Random

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Signature, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from tests.converters.exact.exact_graph import ExactGraph
from tests.converters.exact.exact_networks import SAMPLES, ExactLayer, add_layer, exact_images
from tests.converters.exact.exact_parts import BETWEEN, QUANTIZERS, WEIGHTS, Generator
from tests.converters.exact.exact_products import attention
from tests.converters.exact.test_exact_random import exact_network

_SHAPE = (1, 5, 5, 4)
_TURNS = 3
_SMOOTH = [name for name in BETWEEN if not name.endswith("pool")]  # of these the result has the shape of the input


@dataclass(frozen=True)
class ExactFile:
    """A float file of exact sums.

    Attributes:
        kind: what is special about it.
        flatbuffer: the file.
        inputs: float32 [N, H, W, C] for each input of its first subgraph.
    """

    kind: str
    flatbuffer: bytes
    inputs: list[np.ndarray]


def exact_file(seed: int) -> ExactFile:
    """A file: of eight one has a loop and branches, one products of activations, one several signatures.

    Five are networks of exact_network.
    """
    if seed % 8 == 1:
        return _loop(seed)
    if seed % 8 == 3:
        return _products(seed)
    if seed % 8 == 5:
        return _signatures(seed)
    network = exact_network(seed)
    return ExactFile("network", network.flatbuffer(), [network.images()])


def _even(random: Random, **options: object) -> ExactLayer:
    """A layer whose result has the shape of its input."""
    layer = ExactLayer(
        random.choice(list(QUANTIZERS)),
        random.choice(list(WEIGHTS)),
        random.choice(("same-zero", "same-one", "minus one", "between levels")),
        tuple(random.sample(_SMOOTH, random.choice((0, 1, 2)))),
        random.choice(("", "", "residual", "parallel", "minus")),
        random.choice((1, 2, 3)),
        filters=_SHAPE[3],
    )
    return replace(layer, **options)


def _image(name: str) -> Tensor:
    return Tensor.of(name, _SHAPE, np.float32)


def _number(value: int) -> Tensor:
    return Tensor.constant(f"number {value}", np.asarray(value, np.int32))


def _body(random: Random, generator: Generator) -> Graph:
    """One turn: a number more, and a layer or two."""
    graph, turn, image = ExactGraph(), Tensor.of("turn", (), np.int32), _image("state")
    x = image
    for _ in range(random.choice((1, 2))):
        x = add_layer(graph, x, _even(random), generator)
    more = graph.add("ADD", [turn, _number(1)], (), np.int32, schema.AddOptionsT())
    return Graph("body", [turn, image], [more, x], graph.operators)


def _condition() -> Graph:
    graph, turn = ExactGraph(), Tensor.of("turn", (), np.int32)
    less = graph.add("LESS", [turn, _number(_TURNS)], (), np.bool_, schema.LessOptionsT())
    return Graph("condition", [turn, _image("state")], [less], graph.operators)


def _branch(name: str, random: Random, generator: Generator) -> Graph:
    graph, image = ExactGraph(), _image(name)
    return Graph(name, [image], [add_layer(graph, image, _even(random), generator)], graph.operators)


def _loop(seed: int) -> ExactFile:
    """A layer, a loop, one of two branches, a layer: subgraphs 1 to 4 are what is called."""
    random, generator = Random(seed), np.random.default_rng(seed)
    graph, image = ExactGraph(), _image("image")
    x = add_layer(graph, image, _even(random), generator)
    loop = schema.WhileOptionsT()
    loop.condSubgraphIndex, loop.bodySubgraphIndex = 1, 2
    ends = [Tensor.of("turns", (), np.int32), _image("looped")]
    graph.operators.append(Operator.builtin("WHILE", [_number(0), x], ends, loop))
    whole = graph.constant(range(4), np.int32)
    largest = graph.add("REDUCE_MAX", [ends[1], whole], (), options=schema.ReducerOptionsT())
    above = graph.add("GREATER", [largest, graph.constant(np.float32(2.5))], (), np.bool_, schema.GreaterOptionsT())
    choice = schema.IfOptionsT()
    choice.thenSubgraphIndex, choice.elseSubgraphIndex = 3, 4
    chosen = _image("chosen")
    graph.operators.append(Operator.builtin("IF", [above, ends[1]], [chosen], choice))
    y = add_layer(graph, chosen, _even(random, filters=6, join=""), generator)
    main = Graph("main", [image], [y, chosen], graph.operators)
    called = [_condition(), _body(random, generator), *(_branch(name, random, generator) for name in ("then", "else"))]
    images = exact_images(generator, (SAMPLES, *_SHAPE[1:]))
    return ExactFile("loop and branch", TfliteModel.of(main, *called).write(), [images])


def _products(seed: int) -> ExactFile:
    generator = np.random.default_rng(seed)
    graph = attention(Random(seed), generator)
    inputs = [exact_images(generator, (SAMPLES, *tensor.shape[1:])) for tensor in graph.inputs]
    return ExactFile("products", TfliteModel.of(graph).write(), inputs)


def _two_ends(key: str, random: Random, generator: Generator) -> Graph:
    """A signature of two inputs and two outputs, of one shape.

    Its inputs reach quantizers only: those that nobody calls are compared on random numbers, which sums would round.
    """
    graph, left, right = ExactGraph(), _image("left"), _image("right")
    layers = [replace(_even(random), join=random.choice(("", "minus"))) for _ in range(2)] + [_even(random)]
    one, other = (add_layer(graph, x, layer, generator) for x, layer in zip((left, right), layers, strict=False))
    total = graph.elementwise("SUB", one, other)
    last = add_layer(graph, total, layers[2], generator)
    signature = Signature(key, {"left": left, "right": right}, {"first": last, "second": total})
    return Graph(key, [left, right], [last, total], graph.operators, [signature])


def _signatures(seed: int) -> ExactFile:
    random, generator = Random(seed), np.random.default_rng(seed)
    model = TfliteModel.of(*(_two_ends(key, random, generator) for key in ("serving_default", "other")))
    inputs = [exact_images(generator, (SAMPLES, *_SHAPE[1:])) for _ in range(2)]
    return ExactFile("signatures", model.write(), inputs)
