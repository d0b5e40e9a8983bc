"""Sizes for inputs that a model leaves open: `224x224x3`, or `image=224x224x3` for one of several."""

import shlex
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.names import unknown
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.runtime.describe import tensor_name
from mobile_bnn.runtime.flatbuffer import pack, read_model
from mobile_bnn.typing import FlatbufferObject

InputShape = Sequence[int] | Mapping[str, Sequence[int]]
_EXAMPLE = 224  # pixels


def how_to_fix(names: Sequence[str], shapes: Sequence[Sequence[int | None]]) -> str:
    """The option that gives the open sizes of a model's inputs, with an example of each.

    Args:
        names: of the inputs.
        shapes: theirs, without the batch.
    """
    found = {
        name: tuple(_EXAMPLE if size is None else size for size in shape)
        for name, shape in zip(names, shapes, strict=True)
        if None in shape
    }
    one = len(names) == 1
    options = " ".join(
        f"--input-shape {'' if one else shlex.quote(f'{name}=')}{'x'.join(map(str, shape))}"
        for name, shape in found.items()
    )
    python = next(iter(found.values())) if one else found
    return f"{options} (input_shape={python} in Python) gives {'it' if len(found) == 1 else 'them'} sizes"


def parse_input_shapes(texts: Iterable[str] | None) -> InputShape | None:
    """What `--input-shape` says: a shape without the batch, or such shapes by the inputs' names.

    Raises:
        UsageError: it is not whole numbers joined by x, or names are mixed with none.
    """
    found: dict[str, tuple[int, ...]] = {}
    for text in texts or ():
        name, _, sizes = text.rpartition("=")
        if not sizes or not all(size.isascii() and size.isdigit() and int(size) for size in sizes.split("x")):
            raise UsageError(
                f"{text!r} is not an input shape", cure="Give sizes without the batch, 224x224x3 or image=224x224x3"
            )
        if name in found or (found and "" in (name, *found)):
            raise UsageError("several input shapes need names", cure="Give --input-shape NAME=224x224x3 for each")
        found[name] = tuple(map(int, sizes.split("x")))
    return found.get("", found) if found else None


def fixed_shapes(
    names: Sequence[str], shapes: Sequence[Sequence[int | None]], given: InputShape | None
) -> list[tuple[int | None, ...]]:
    """The shapes of inputs without the batch, with what was given in the place of open sizes.

    Raises:
        UsageError: an input is not there, several need a name, or a size contradicts the model's.
    """
    if given is None:
        return [tuple(shape) for shape in shapes]
    if not isinstance(given, Mapping):
        if len(names) > 1:
            first = next((name for name, shape in zip(names, shapes, strict=True) if None in shape), names[0])
            raise UsageError(
                f"the model has {len(names)} inputs", cure=f"Give --input-shape {first}=... for those of open sizes"
            )
        given = {names[0]: given}
    for name in given:
        if name not in names:
            raise unknown("input", name, names)
    return [_fixed(name, shape, given.get(name)) for name, shape in zip(names, shapes, strict=True)]


def _fixed(name: str, shape: Sequence[int | None], given: Sequence[int] | None) -> tuple[int | None, ...]:
    if given is None:
        return tuple(shape)
    fits = len(given) == len(shape) and all(size in (None, own) for size, own in zip(shape, given, strict=True))
    if not fits:
        raise UsageError(f"the input {name} is {_text(shape)}, which {_text(given)} does not fit")
    return tuple(int(size) for size in given)


def _text(shape: Sequence[int | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def fix_tflite(flatbuffer: bytes, given: InputShape) -> bytes:
    """A float file whose inputs, and all that is computed from them, have the sizes that were given.

    LiteRT itself finds the sizes of all tensors, in an inference.

    Raises:
        UsageError: the sizes do not fit the inputs.
        MobileBnnError: LiteRT cannot run the file with such inputs.
    """
    model = read_model(flatbuffer)
    graph = model.subgraphs[0]
    inputs = [graph.tensors[index] for index in graph.inputs]
    open_shapes = [[None if size < 0 else int(size) for size in _signature(tensor)[1:]] for tensor in inputs]
    shapes = fixed_shapes([tensor_name(tensor) for tensor in inputs], open_shapes, given)
    with caught_stderr():
        try:
            sizes = _sizes(flatbuffer, [[int(t.shape[0]), *shape] for t, shape in zip(inputs, shapes, strict=True)])
        except (RuntimeError, ValueError) as error:
            raise MobileBnnError("the file cannot run with inputs of that shape", why=first_line(error)) from error
    for index, tensor in enumerate(graph.tensors or []):
        if tensor.shape is not None and index in sizes:
            batch_open = len(_signature(tensor)) > 0 and _signature(tensor)[0] < 0 and len(sizes[index]) > 0
            tensor.shapeSignature = [-1, *sizes[index][1:]] if batch_open else None
            tensor.shape = sizes[index]
    return pack(model)


def _signature(table: FlatbufferObject) -> list[int]:
    signature, shape = table.shapeSignature, table.shape
    return [int(size) for size in (shape if signature is None or len(signature) == 0 else signature)]


def _sizes(flatbuffer: bytes, shapes: list[list[int | None]]) -> dict[int, list[int]]:
    """The sizes of all tensors, by their numbers, after an inference on zeros of some shapes."""
    interpreter = Interpreter(
        model_content=flatbuffer,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    for detail, shape in zip(interpreter.get_input_details(), shapes, strict=True):
        interpreter.resize_tensor_input(detail["index"], [size or 1 for size in shape])
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    interpreter.invoke()
    return {int(each["index"]): [int(size) for size in each["shape"]] for each in interpreter.get_tensor_details()}
