"""What each refusal code means, why that stands in the way, and what to do about it."""

from dataclasses import dataclass

from mobile_bnn.converters.refusals import RefusalCode


@dataclass(frozen=True)
class Explanation:
    """Of a code.

    Attributes:
        meaning: what was found.
        why: the rule, or the layer, cannot do with it.
        cure: what to change; `{layer}` stands for the layer's name.
    """

    meaning: str
    why: str
    cure: str


_FLOAT = "change the layer, or leave it float: --allow-float {layer}"

# Why a layer stays float.
LAYERS = {
    RefusalCode.INPUT_NOT_QUANTIZED: Explanation(
        "the layer's input takes too many values, or is not known to take few",
        "a binary convolution reads signs: its input must be a step function of up to 16 values",
        "give it an input_quantizer, or put the quantizer directly before it",
    ),
    RefusalCode.INPUT_TOO_MANY_VALUES: Explanation(
        "the layer's input is quantized, but to more than 16 values, such as 256 of 8 bits",
        "each value beyond two takes another binary convolution: with more than 16 a float or int8 layer is faster",
        "use an input_quantizer of up to 4 bits, or leave it float: --allow-float {layer}",
    ),
    RefusalCode.INPUT_SINGLE_VALUED: Explanation(
        "the layer's input has one value only",
        "a constant input has no sign to convolve",
        _FLOAT,
    ),
    RefusalCode.INPUT_CHANNELS_DIFFER: Explanation(
        "the input takes other values in each channel",
        "the values of all channels share one scale, because a sum over channels has one multiplier",
        "use a quantizer with the same values in all channels; thresholds may differ",
    ),
    RefusalCode.INPUT_SHAPE_OPEN: Explanation(
        "a size of the layer's input besides the batch is open",
        "filters, padding and bit-packing are laid out for one map size",
        "give the model's input a fixed shape (--input-shape 224x224x3), or leave it float: --allow-float {layer}",
    ),
    RefusalCode.INPUT_SHAPE_UNFIT: Explanation(
        "the layer's input is not a whole number of the rows that its matrix multiplies",
        "a dense layer is converted as a convolution over rows of its features",
        _FLOAT,
    ),
    RefusalCode.INPUT_TRANSPOSED: Explanation(
        "the left side of the layer's product is transposed",
        "channels are packed along the last dimension",
        _FLOAT,
    ),
    RefusalCode.FILTER_NOT_FEW_VALUED: Explanation(
        "a channel of the layer's filter has values that are on no grid of up to 16",
        "only a filter of few values is a sum of binary filters",
        "give its kernel a quantizer of few values, such as ste_sign",
    ),
    RefusalCode.FILTER_NOT_CONSTANT: Explanation(
        "the layer's filter is computed while the model runs, or is not float32",
        "the filter's bits are packed when the file is written",
        _FLOAT,
    ),
    RefusalCode.TWO_ACTIVATIONS: Explanation(
        "the operator multiplies two quantized activations, of more than two values or in sums of few terms",
        "bits are multiplied where each activation has two values, and are faster from 16 terms on",
        "give both a quantizer of two values, such as ste_sign, or leave it: in float it computes the same",
    ),
    RefusalCode.FILTER_NOT_FINITE: Explanation(
        "the layer's filter holds infinity or NaN",
        "such numbers have no scale",
        "train the layer again, or leave it float: --allow-float {layer}",
    ),
    RefusalCode.FILTER_EMPTY: Explanation("the layer's filter holds nothing", "there is nothing to pack", _FLOAT),
    RefusalCode.BIAS_NOT_CONSTANT: Explanation(
        "the layer's bias is computed while the model runs, or is not float32",
        "the bias of LceBconv2d is a constant",
        _FLOAT,
    ),
    RefusalCode.ACTIVATION_UNSUPPORTED: Explanation(
        "an activation is fused into the operator that the rewrite cannot keep",
        "the activation would have to come at another place, or has no operator of its own",
        "move the activation, or leave the layer float: --allow-float {layer}",
    ),
    RefusalCode.OPERATOR_UNSUPPORTED: Explanation(
        "the layer's operator has no binary form, such as a 3-D convolution",
        "LCE has a two-dimensional convolution only",
        _FLOAT,
    ),
    RefusalCode.WEIGHTS_NOT_READ: Explanation(
        "no operator reads the layer's quantized weights as they are",
        "what multiplies them does not have few values any more",
        "let it multiply by its quantized weights themselves, or --allow-float {layer}",
    ),
    RefusalCode.QUANTIZED: Explanation(
        "the layer computes in integers of 8 or 16 bits, or its weights are stored so",
        "what the quantizer before it gave is rounded already, and no sign of it can be told",
        "convert the float model that the file was made from, or leave it as it is: --allow-float {layer}",
    ),
    RefusalCode.SUBGRAPH_NOT_COMPARABLE: Explanation(
        "the layer is in a loop or a branch that is handed resources or strings",
        "a subgraph is compared by itself, on what it is given, and that must be numbers",
        "keep tables and variables out of the loop, or leave it float: --allow-float {layer}",
    ),
    RefusalCode.NOT_BY_LCE: Explanation(
        "LCE's converter left the layer float (--via lce)",
        "it matches spellings of quantizers and turns others into float",
        "convert without --via lce, or leave it float: --allow-float {layer}",
    ),
    RefusalCode.LARGER_IN_BITS: Explanation(
        "the layer is binary, but takes more bytes than in float",
        "groups of fewer than 32 channels are filled up to whole words, with zeros that take a second filter",
        "use groups of at least 32 channels, or no quantizer",
    ),
    RefusalCode.SLOWER_IN_BITS: Explanation(
        "the layer is binary, but a float one of its size was measured to be faster",
        "channels are filled up to whole words of 32, and all bits of a word are multiplied",
        "use more input channels, or no quantizer",
    ),
}

# Why a rule leaves an operator as it is.
RULES = {
    RefusalCode.PATTERN_ABSENT: Explanation(
        "the operators around this one are not those that the rule rewrites",
        "each rule rewrites one pattern",
        "nothing, unless the operator named stands between two that should be fused: then move it",
    ),
    RefusalCode.SHARED_RESULT: Explanation(
        "another operator reads a result that the rewrite would change, or it is an output of the graph",
        "the other reader needs the number as it was",
        "let the other reader take the result after the fused operator, if your network allows that",
    ),
    RefusalCode.OPERAND_MISSING: Explanation(
        "the operator does not have an input that the rule needs",
        "an optional input was left out in the file",
        "nothing",
    ),
    RefusalCode.OPERAND_NOT_CONSTANT: Explanation(
        "an operand that must be known when the file is written is computed while the model runs",
        "what is fused is evaluated when the file is written",
        "make the operand a constant; export the model for inference",
    ),
    RefusalCode.OPERAND_NOT_PER_CHANNEL: Explanation(
        "a constant operand varies within a channel",
        "an LceBconv2d has one multiplier, bias and threshold for each channel",
        "use one constant for each channel, as a batch norm does",
    ),
    RefusalCode.TYPE_UNSUPPORTED: Explanation(
        "a tensor has another type than the rule rewrites",
        "rules rewrite float32 and, where they only move data, bool",
        "export the model in float32",
    ),
    RefusalCode.SHAPE_UNFIT: Explanation(
        "a shape is open, or not the one that the rewrite needs",
        "moving the operator would change what it computes",
        "fix the sizes besides the batch",
    ),
    RefusalCode.NOT_A_STEP: Explanation(
        "the operators between two tensors are not proved to be a step function",
        "only a function that jumps at known thresholds can be replaced by these",
        "write the quantizer with operators that rise or fall everywhere, such as comparison, clip and round",
    ),
    RefusalCode.TOO_MANY_VALUES: Explanation(
        "a tensor or a filter takes more values than the rewrite can represent",
        "each value beyond two takes another binary convolution, or has no bit at all",
        "use a quantizer of fewer values",
    ),
    RefusalCode.CHANNELS_SPLIT_WORDS: Explanation(
        "channels would be cut or joined within a word of 32",
        "bit-packed data moves in whole words",
        "use multiples of 32 channels where channels are split, joined or reshaped",
    ),
    RefusalCode.OVERFLOW: Explanation(
        "a folded constant would be infinite in float32",
        "the operators one after the other do not overflow, the fused one would",
        "use smaller scales",
    ),
    RefusalCode.ROUNDING: Explanation(
        "folding would round results more than the operators do that it replaces",
        "a clamped sum is small beside the terms that a multiplier is rounded with",
        "nothing: the operators stay as they are",
    ),
    RefusalCode.LCE_LIMIT: Explanation(
        "LCE's kernels or its runtime do not have this combination",
        "a file must run in LCE's own runtime, too",
        "pad with ones instead of zeros, or apply the activation after the batch norm's bias was folded",
    ),
    RefusalCode.NO_GAIN: Explanation(
        "the rewrite would not make the file smaller or shorter",
        "it is as short as can be",
        "nothing",
    ),
}

EXPLANATIONS = LAYERS | RULES
