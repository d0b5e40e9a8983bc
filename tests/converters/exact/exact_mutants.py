"""Wrong files: exact ones with the least changed that can matter, and whether the comparison names them.

A mutant has one wrong number (wrong_numbers.py) or one wrong wire, option or name (wrong_wiring.py). It is alive if it
changes any bit of any output on the file's inputs, and a number at that: -0.0 for 0.0 is none. A further signature
runs on the random inputs that the comparison has for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Lowering
from mobile_bnn.converters.source import Source
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.noise import noise
from mobile_bnn.converters.verification.reference import FloatFile
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.converters.verification.signatures import check_signatures
from mobile_bnn.converters.verification.subgraphs import Subgraphs
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import library_path
from mobile_bnn.runtime.describe import text
from tests.converters.exact import wrong_numbers, wrong_wiring
from tests.converters.exact.exact_programs import ExactFile

_PIECES = 3  # mutants of one kind and file
_SAMPLES = 8  # random ones of a further signature
_KINDS = wrong_numbers.KINDS | wrong_wiring.KINDS
KINDS = [*_KINDS, *wrong_wiring.ENDS]


@dataclass(frozen=True)
class Mutant:
    """A wrong file.

    Attributes:
        kind: what was changed.
        alive: whether an output changed.
        named: whether the comparison found it.
    """

    kind: str
    alive: bool
    named: bool


def mutants(file: ExactFile, seed: int) -> Iterator[Mutant]:
    """The mutants of a file, each compared."""
    source = Source.of_tflite(file.flatbuffer)
    model, lowering = source.lower()
    right = model.write()
    run = partial(_outputs, graphs=model.graphs, inputs=file.inputs)
    expected, reference = run(right), FloatFile(lowering)
    if told := _complaint(source, lowering, right, reference, file.inputs):
        raise AssertionError(f"the right file is refused: {told}")
    for kind, flatbuffer in _files(model, Random(seed)):
        try:
            outputs = run(flatbuffer)
        except (MobileBnnError, RuntimeError, ValueError):  # refused by the runtime: nobody can be misled
            continue
        alive = outputs.keys() != expected.keys() or any(
            not np.array_equal(outputs[name], expected[name]) for name in expected
        )
        named = alive and bool(_complaint(source, lowering, flatbuffer, reference, file.inputs))
        yield Mutant(kind, alive, named)


def _complaint(
    source: Source, lowering: Lowering, flatbuffer: bytes, reference: FloatFile, inputs: list[np.ndarray]
) -> str:
    """What a conversion would say of a file before it wrote it; empty if nothing."""
    try:
        check_signatures(source.model.graphs, TfliteModel.read(flatbuffer).graphs)
        comparison, subgraphs = Comparison(lowering, flatbuffer, reference), Subgraphs(lowering, flatbuffer)
        comparison.add(inputs, subgraphs.add(inputs))
    except MobileBnnError as error:  # it holds what is none of the model's
        return str(error)
    return "; ".join([*subgraphs.errors, *comparison.errors])


def _outputs(flatbuffer: bytes, graphs: list[Graph], inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
    """By their place in the first subgraph, and by their names in every signature that the right file has."""
    found = {str(number): values for number, values in enumerate(FileRunner(flatbuffer).run(inputs))}
    if not any(graph.signatures for graph in graphs):
        return found
    interpreter = Interpreter(
        model_content=flatbuffer, experimental_delegates=[load_delegate(str(library_path()))], num_threads=1
    )
    for number, graph in enumerate(graphs):
        for signature in graph.signatures:
            run = interpreter.get_signature_runner(text(signature.key))
            values = inputs if number == 0 else _random(graph.inputs)
            given = dict(zip(map(text, signature.inputs), values, strict=True))
            for at in range(len(values[0])):
                part = run(**{name: each[at : at + 1] for name, each in given.items()})
                found |= {f"{signature.key} {name} {at}": each for name, each in part.items()}
    return found


def _random(tensors: list[Tensor]) -> list[np.ndarray]:
    """What the comparison gives a subgraph that nobody calls."""
    generator = np.random.default_rng(0)
    return [noise(generator, (_SAMPLES, *tensor.shape), tensor.dtype)[:, 0] for tensor in tensors]


def _files(right: TfliteModel, random: Random) -> Iterator[tuple[str, bytes]]:
    """Of each kind a few, in operators of any subgraph."""
    places = [(number, place) for number, graph in enumerate(right.graphs) for place in range(len(graph.operators))]
    for kind, (applies, change) in _KINDS.items():
        fit = [
            (number, at) for number, at in places if applies(right.graphs[number], right.graphs[number].operators[at])
        ]
        for number, place in random.sample(fit, min(_PIECES, len(fit))):
            model = right.copy()
            graph = model.graphs[number]
            change(graph, graph.operators[place], random)
            yield kind, model.write()
    for kind, (fits, turn) in wrong_wiring.ENDS.items():
        for number in (number for number, graph in enumerate(right.graphs) if fits(graph)):
            model = right.copy()
            turn(model.graphs[number])
            yield kind, model.write()
