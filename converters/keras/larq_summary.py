"""What Larq's model summary counts, beside what a file really holds."""

from dataclasses import dataclass
from pathlib import Path

from mobile_bnn.converters.source import keras_model
from mobile_bnn.legacy_keras import larq
from mobile_bnn.records import Operators
from mobile_bnn.runtime import operator_table
from mobile_bnn.typing import KerasModel


@dataclass(frozen=True)
class SummaryComparison:
    """Larq's `models.summary` of the Keras model beside the file: what it calls binary, and what is.

    Larq counts a layer as binary by its quantizers; the file says what the converter made of it.
    """

    larq_binary_macs: int
    larq_float_macs: int
    larq_bytes: int
    file_binary_macs: int
    file_float_macs: int
    file_bytes: int


def compare_with_larq(model: KerasModel, file: Operators | Path | str | bytes) -> SummaryComparison:
    """Compares Larq's summary of a Keras model with the operator table of its file.

    Args:
        model: a Keras model, a `Source` of one, or the path of one.
        file: the table, the .tflite's path, or its bytes.

    Raises:
        UsageError: there is no Keras model, or no file, at that path.
        MobileBnnError: one of them cannot be read.
    """
    operators = file if isinstance(file, Operators) else operator_table(file)
    profile = larq.models.ModelProfile(keras_model(model))
    macs = [operation for layer in profile.layer_profiles for operation in layer.op_profiles]
    return SummaryComparison(
        larq_binary_macs=sum(operation.n for operation in macs if operation.precision == 1),
        larq_float_macs=sum(operation.n for operation in macs if operation.precision != 1),
        larq_bytes=profile.memory // 8,
        file_binary_macs=operators.total("binary_macs"),
        file_float_macs=operators.total("float_macs"),
        file_bytes=operators.file_bytes,
    )
