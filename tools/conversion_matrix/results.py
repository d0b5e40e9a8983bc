"""What our converter and LCE's make of one family: run in processes of their own, by the family's name."""

import logging
from dataclasses import dataclass
from itertools import permutations

import worker

worker.with_families()
from matrix.every import FAMILIES  # noqa: E402

from mobile_bnn.converters.refusals import RefusalCode  # noqa: E402
from mobile_bnn.errors import MobileBnnError  # noqa: E402
from mobile_bnn.typing import KerasModel  # noqa: E402


@dataclass(frozen=True)
class Result:
    """A file, or why there is none.

    Attributes:
        asked: how many layers are declared binary, or multiply two activations that are.
        binary: how many of them are binary; of LCE's file that is not known.
        refused: why some of them are not, or why no file was made.
        operators: how many of each kind the file has.
        size_bytes: of the file.
        wrong: share of the outputs that are not Keras's; None if it does not run.
    """

    asked: int
    refused: str = ""
    operators: dict[str, int] | None = None
    size_bytes: int = 0
    wrong: float | None = None
    binary: int = 0


def by_us(name: str) -> Result:
    """Our converter, LiteRT with our library."""
    from matrix import outcome

    model = _model(name)
    family = FAMILIES[name]
    try:
        ours = outcome.convert(family.source(model))
    except MobileBnnError as error:
        return Result(0, str(error))
    asked = [layer for layer in ours.layers if layer.declared or layer.code is RefusalCode.TWO_ACTIVATIONS]
    reasons = [layer.reason for layer in asked or ours.layers if not layer.binary]
    images = family.images(model)
    outputs = outcome.our_outputs(ours.flatbuffer, images, family.batch_size)
    wrong = outcome.share_wrong(outputs, outcome.keras_outputs(family.runnable(model), images))
    refused = "; ".join(dict.fromkeys(reasons))
    binary = sum(layer.binary for layer in asked)
    return Result(len(asked), refused, dict(ours.operators), len(ours.flatbuffer), wrong, binary)


def by_lce(name: str) -> Result:
    """LCE's converter, LCE's interpreter."""
    from matrix import outcome

    from mobile_bnn.converters.keras.lce_converter import to_binary

    family = FAMILIES[name]
    if family.float_file:
        return Result(0, "it takes Keras models only")
    model = _model(name)
    try:
        flatbuffer = to_binary(model)
    except MobileBnnError as error:
        return Result(0, str(error))
    operators, images = dict(outcome.operators_of(flatbuffer)), family.images(model)
    expected = outcome.keras_outputs(family.runnable(model), images)
    shapes, found, complaint = [array.shape for array in expected], list[float](), ""
    for given in permutations(images):  # LCE orders several inputs and outputs in its own way
        try:
            outputs = outcome.lce_outputs(flatbuffer, list(given))
        except (MobileBnnError, RuntimeError, ValueError) as error:
            complaint = f"its file does not run: {error}"
            continue
        outputs.sort(key=lambda output: shapes.index(output.shape) if output.shape in shapes else len(shapes))
        found.append(outcome.share_wrong(outputs, expected))
    if not found:
        return Result(0, complaint, operators, len(flatbuffer))
    return Result(0, "", operators, len(flatbuffer), min(found))


def _model(name: str) -> KerasModel:
    logging.disable(logging.WARNING)  # Larq's advice for training
    return FAMILIES[name].model()
