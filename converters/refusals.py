"""Why a layer stays float: a text for its reader, and a code for whatever hangs on the reason.

Texts may be reworded at any time. Codes are stable: `mbnn lint --json` prints them, docs/conversion.md lists them, and
cures are chosen by them.
"""

from enum import Enum


class RefusalCode(str, Enum):
    """The kinds of reasons, in words that stay what they are."""

    INPUT_NOT_QUANTIZED = "input-not-quantized"
    INPUT_SINGLE_VALUED = "input-single-valued"
    INPUT_CHANNELS_DIFFER = "input-channels-differ"
    INPUT_SHAPE_OPEN = "input-shape-open"
    INPUT_SHAPE_UNFIT = "input-shape-unfit"
    INPUT_TRANSPOSED = "input-transposed"
    FILTER_NOT_FEW_VALUED = "filter-not-few-valued"
    FILTER_NOT_CONSTANT = "filter-not-constant"
    FILTER_NOT_FINITE = "filter-not-finite"
    FILTER_EMPTY = "filter-empty"
    BIAS_NOT_CONSTANT = "bias-not-constant"
    ACTIVATION_UNSUPPORTED = "activation-unsupported"
    OPERATOR_UNSUPPORTED = "operator-unsupported"
    WEIGHTS_NOT_READ = "weights-not-read"
    NOT_BY_LCE = "not-by-lce"
    LARGER_IN_BITS = "larger-in-bits"  # of a layer that is binary all the same


class Refusal(str):
    """The text of a reason, with its code.

    Attributes:
        code: what the reason is, whatever its text says.
    """

    code: RefusalCode

    def __new__(cls, code: RefusalCode, text: str) -> "Refusal":
        """Joins a text and its code."""
        refusal = super().__new__(cls, text)
        refusal.code = code
        return refusal

    def __reduce__(self) -> tuple[type["Refusal"], tuple[RefusalCode, str]]:
        return Refusal, (self.code, str(self))


def not_quantized(why: str) -> Refusal:
    """Of a layer whose input takes too many values, or is not known to take few."""
    return Refusal(RefusalCode.INPUT_NOT_QUANTIZED, f"its input is not quantized: {why}")
