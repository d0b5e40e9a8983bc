"""Damages models: any bytes, as a broken download does, and with a purpose, as somebody does who knows the format."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from ai_edge_litert.schema_py_generated import BuiltinOperator, TensorType

from mobile_bnn.runtime import pack, read_model
from mobile_bnn.typing import FlatbufferObject

_WORDS = (b"\xff" * 4, b"\xff" * 3 + b"\x7f", b"\0\0\0\x80", b"\0\0\0\0", b"\1\0\0\0", b"\0\0\x10\0")
_OPERATORS = sorted(each for each in vars(BuiltinOperator).values() if isinstance(each, int))
_TYPES = sorted(each for each in vars(TensorType).values() if isinstance(each, int))
_SIZES = (0, 1, 2, 3, 8, 64, 1000, 2**30, 2**31 - 1)


def with_damaged_bytes(model: bytes, count: int) -> Iterator[bytes]:
    """Copies with a few bits or words changed, mostly in the tables before and after the constants, or cut off."""
    for seed in range(count):
        generator = random.Random(seed)
        content = bytearray(model)
        if seed % 10 == 0:
            yield bytes(content[: generator.randrange(len(content))])
            continue
        for _ in range(generator.randint(1, 4)):
            at = generator.choice([generator.randrange(600), len(content) - 1 - generator.randrange(4500)])
            if seed % 2:
                content[at] ^= 1 << generator.randrange(8)
            else:
                at &= ~3
                content[at : at + 4] = generator.choice([*_WORDS, generator.randbytes(4)])
        yield bytes(content)


def with_changed_tables(model: bytes, count: int) -> Iterator[bytes]:
    """Copies that are flatbuffers: with other operators, tensors, types, shapes, constants, numbers of operands."""
    seed = 0
    while count:
        seed += 1
        tree, generator = read_model(model), random.Random(seed)
        for _ in range(generator.randint(1, 2)):
            _change(tree, generator)
        try:
            changed = pack(tree)
        except Exception:  # a change that the schema cannot hold
            continue
        yield changed
        count -= 1


def written(models: Iterable[bytes], folder: Path) -> list[Path]:
    """Files of the models: 0.tflite, 1.tflite and so on."""
    paths = []
    for number, model in enumerate(models):
        paths.append(folder / f"{number}.tflite")
        paths[-1].write_bytes(model)
    return paths


def _change(tree: FlatbufferObject, generator: random.Random) -> None:
    graph = tree.subgraphs[0]
    operator, tensor = generator.choice(graph.operators), generator.choice(graph.tensors)
    any_tensor = generator.randrange(len(graph.tensors))
    operator.inputs, operator.outputs = list(operator.inputs), list(operator.outputs)
    match generator.randrange(8):
        case 0:
            code = generator.choice(tree.operatorCodes)
            code.builtinCode = generator.choice(_OPERATORS)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        case 1:
            operator.opcodeIndex = generator.randrange(len(tree.operatorCodes))
        case 2 if operator.inputs:
            operator.inputs[generator.randrange(len(operator.inputs))] = generator.choice([any_tensor, -1])
        case 3 if operator.outputs:
            operator.outputs[0] = any_tensor
        case 4:
            tensor.type = generator.choice(_TYPES)
        case 5:
            tensor.shape = [generator.choice(_SIZES) for _ in range(generator.randrange(6))]
        case 6:
            tensor.buffer = generator.randrange(len(tree.buffers))
        case _:
            operator.inputs = operator.inputs[:-1] if generator.random() < 0.5 else [*operator.inputs, any_tensor]
