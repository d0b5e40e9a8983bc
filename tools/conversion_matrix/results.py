"""What our converter and LCE's make of one family: run in processes of their own, by the family's name."""

import logging
from dataclasses import dataclass

import worker

worker.with_families()
from matrix.every import FAMILIES  # noqa: E402

from mobile_bnn.errors import MobileBnnError  # noqa: E402
from mobile_bnn.typing import KerasModel  # noqa: E402


@dataclass(frozen=True)
class Result:
    """A file, or why there is none.

    Attributes:
        asked: how many layers are declared binary.
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


def by_us(name: str) -> Result:
    """Our converter, LiteRT with our library."""
    from matrix import outcome

    model = _model(name)
    family = FAMILIES[name]
    try:
        ours = outcome.convert(model, family.batch_size)
    except MobileBnnError as error:
        return Result(0, str(error))
    asked = [layer for layer in ours.layers if layer.declared]
    reasons = ours.refusals or ([] if asked else [layer.reason for layer in ours.layers])
    images = family.images(model)
    outputs = outcome.our_outputs(ours.flatbuffer, images, family.batch_size)
    wrong = outcome.share_wrong(outputs, outcome.keras_outputs(model, images))
    refused = "; ".join(dict.fromkeys(reasons))
    return Result(len(asked), refused, dict(ours.operators), len(ours.flatbuffer), wrong)


def by_lce(name: str) -> Result:
    """LCE's converter, LCE's interpreter."""
    from matrix import outcome

    from mobile_bnn.converters.keras.lce_converter import to_binary

    model = _model(name)
    try:
        flatbuffer = to_binary(model)
    except MobileBnnError as error:
        return Result(0, str(error))
    operators = dict(outcome.operators_of(flatbuffer))
    images = FAMILIES[name].images(model)
    try:
        outputs = outcome.lce_outputs(flatbuffer, images)
    except (MobileBnnError, RuntimeError, ValueError) as error:
        return Result(0, f"its file does not run: {error}", operators, len(flatbuffer))
    expected = outcome.keras_outputs(model, images)
    # LCE orders several outputs in its own way.
    outputs.sort(key=lambda output: [e.shape for e in expected].index(output.shape))
    wrong = outcome.share_wrong(outputs, expected)
    return Result(0, "", operators, len(flatbuffer), wrong)


def _model(name: str) -> KerasModel:
    logging.disable(logging.WARNING)  # Larq's advice for training
    return FAMILIES[name].model()
