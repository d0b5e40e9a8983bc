"""Why a rule does not apply or a layer stays float: a text for its reader, a code for whatever hangs on the reason.

Texts may be reworded at any time. Codes are stable: `mbnn lint --json` prints them, `mbnn lint --explain` and
docs/refusals.md tell what each means, and cures are chosen by them.
"""

from dataclasses import dataclass
from enum import Enum


class RefusalCode(str, Enum):
    """The kinds of reasons, in words that stay what they are."""

    # Of a layer that stays float.
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
    QUANTIZED = "quantized"
    SUBGRAPH_NOT_COMPARABLE = "subgraph-not-comparable"
    NOT_BY_LCE = "not-by-lce"
    LARGER_IN_BITS = "larger-in-bits"  # of a layer that is binary all the same
    SLOWER_IN_BITS = "slower-in-bits"  # the same

    # Of an operator that a rule leaves as it is.
    PATTERN_ABSENT = "pattern-absent"
    SHARED_RESULT = "shared-result"
    OPERAND_MISSING = "operand-missing"
    OPERAND_NOT_CONSTANT = "operand-not-constant"
    OPERAND_NOT_PER_CHANNEL = "operand-not-per-channel"
    TYPE_UNSUPPORTED = "type-unsupported"
    SHAPE_UNFIT = "shape-unfit"
    NOT_A_STEP = "not-a-step"
    TOO_MANY_VALUES = "too-many-values"
    CHANNELS_SPLIT_WORDS = "channels-split-words"
    OVERFLOW = "overflow"
    ROUNDING = "rounding"
    LCE_LIMIT = "lce-limit"
    NO_GAIN = "no-gain"


@dataclass(frozen=True)
class Refusal:
    """A reason.

    Attributes:
        code: what the reason is, whatever its text says.
        text: for its reader.
    """

    code: RefusalCode
    text: str

    def __str__(self) -> str:
        return self.text


class NoMatch(Exception):  # noqa: N818 - the word of pattern matching; it is not a fault
    """A rule does not apply: raised before the graph is touched.

    Attributes:
        refusal: why.
    """

    def __init__(self, code: RefusalCode, text: str) -> None:
        super().__init__(text)
        self.refusal = Refusal(code, text)

    @property
    def code(self) -> RefusalCode:
        """The kind of the reason."""
        return self.refusal.code
