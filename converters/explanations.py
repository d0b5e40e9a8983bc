"""What each refusal code means, why that stands in the way, and what to do about it."""

from dataclasses import dataclass

from mobile_bnn.converters.refusals import RefusalCode


@dataclass(frozen=True)
class Explanation:
    """Of a code.

    Attributes:
        meaning: what was found.
        why: the rule, or the layer, cannot do with it.
        cure: what to change; `{layer}` stands for the layer's name, as a shell takes it.
    """

    meaning: str
    why: str
    cure: str


_FLOAT = "leave it float: --allow-float {layer}"

# Why a layer stays float.
LAYERS = {
    RefusalCode.INPUT_NOT_QUANTIZED: Explanation(
        "the layer's input takes too many values, or is not known to take few",
        "a binary convolution reads signs: its input must be a step function of up to 16 values",
        f"give it an input_quantizer that is such a function, as ste_sign is, with nothing in between, or {_FLOAT}",
    ),
    RefusalCode.INPUT_TOO_MANY_VALUES: Explanation(
        "the layer's input is quantized, but to more than 16 values, such as 256 of 8 bits",
        "each value beyond two takes another binary convolution: with more than 16 a float or int8 layer is faster",
        f"use an input_quantizer of up to 4 bits, or {_FLOAT}",
    ),
    RefusalCode.INPUT_SINGLE_VALUED: Explanation(
        "the layer's input has one value only",
        "a constant input has no sign to convolve",
        f"look what the layers before it compute, for it learns nothing from that, or {_FLOAT}",
    ),
    RefusalCode.INPUT_CHANNELS_DIFFER: Explanation(
        "the input takes other values in each channel",
        "the values of all channels share one scale, because a sum over channels has one multiplier",
        f"use a quantizer with the same values in all channels (thresholds may differ), or {_FLOAT}",
    ),
    RefusalCode.INPUT_SHAPE_OPEN: Explanation(
        "a size of the layer's input besides the batch is open",
        "filters, padding and bit-packing are laid out for one map size",
        f"give the model's input a fixed shape, as --input-shape 224x224x3 does, or {_FLOAT}",
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
        f"give it a kernel_quantizer of few values, such as ste_sign, or {_FLOAT}",
    ),
    RefusalCode.FILTER_NOT_CONSTANT: Explanation(
        "the layer's filter is computed while the model runs, or is not float32",
        "the filter's bits are packed when the file is written",
        f"compute the filter from weights alone, in float32, or {_FLOAT}",
    ),
    RefusalCode.TWO_ACTIVATIONS: Explanation(
        "the operator multiplies two quantized activations, of more than two values or in sums of few terms",
        "bits are multiplied where each activation has two values, and are faster from 16 terms on",
        "give both a quantizer of two values, such as ste_sign, or leave it: in float it computes the same",
    ),
    RefusalCode.FILTER_NOT_FINITE: Explanation(
        "the layer's filter holds infinity or NaN",
        "such numbers have no scale",
        f"train the layer again, or {_FLOAT}",
    ),
    RefusalCode.FILTER_EMPTY: Explanation(
        "the layer's filter holds nothing",
        "there is nothing to pack",
        f"give it filters, or {_FLOAT}",
    ),
    RefusalCode.BIAS_NOT_CONSTANT: Explanation(
        "the layer's bias is computed while the model runs, or is not float32",
        "the bias of LceBconv2d is a constant",
        f"add what is computed in a layer of its own, after this one, or {_FLOAT}",
    ),
    RefusalCode.ACTIVATION_UNSUPPORTED: Explanation(
        "an activation is fused into the operator that the rewrite cannot keep",
        "the activation would have to come at another place, or has no operator of its own",
        f"use an activation of the RELU family there, or {_FLOAT}",
    ),
    RefusalCode.OPERATOR_UNSUPPORTED: Explanation(
        "the layer's operator has no binary form, such as a 3-D convolution",
        "two-dimensional convolutions, dense layers and products of matrices have one",
        f"use a two-dimensional convolution or a dense layer instead, or {_FLOAT}",
    ),
    RefusalCode.WEIGHTS_NOT_READ: Explanation(
        "no operator reads the layer's quantized weights as they are",
        "what multiplies them does not have few values any more",
        f"let it multiply by its quantized weights themselves, or {_FLOAT}",
    ),
    RefusalCode.QUANTIZED: Explanation(
        "the layer computes in integers of 8 or 16 bits, or its weights are stored so",
        "what the quantizer before it gave is rounded already, and no sign of it can be told",
        f"convert the float model that the file was made from, or {_FLOAT}",
    ),
    RefusalCode.SUBGRAPH_NOT_COMPARABLE: Explanation(
        "the layer is in a loop or a branch that is handed resources or strings",
        "a subgraph is compared by itself, on what it is given, and that must be numbers",
        f"keep tables and variables out of the loop, or {_FLOAT}",
    ),
    RefusalCode.NOT_BY_LCE: Explanation(
        "LCE's converter left the layer float (--via lce)",
        "it matches spellings of quantizers and turns others into float",
        f"convert without --via lce, or {_FLOAT}",
    ),
    RefusalCode.LARGER_IN_BITS: Explanation(
        "the layer is binary, but takes more bytes than in float",
        "groups of fewer than 32 channels are filled up to whole words, with zeros that take a second filter",
        "use groups of at least 32 channels, or give {layer} no quantizer",
    ),
    RefusalCode.SLOWER_IN_BITS: Explanation(
        "the layer is binary, but a float one of its size was measured to be faster",
        "channels are filled up to whole words of 32, and all bits of a word are multiplied",
        "use more input channels, or give {layer} no quantizer",
    ),
}

# Why a rule leaves an operator as it is.
RULES = {
    RefusalCode.PATTERN_ABSENT: Explanation(
        "the operators around this one are not those that the rule rewrites",
        "each rule rewrites one pattern",
        "none is needed, unless the operator named stands between two that should be fused: then move it",
    ),
    RefusalCode.SHARED_RESULT: Explanation(
        "another operator reads a result that the rewrite would change, or it is an output of the graph",
        "the other reader needs the number as it was",
        "let the other reader take the result after the fused operator, if your network allows that",
    ),
    RefusalCode.OPERAND_MISSING: Explanation(
        "the operator does not have an input that the rule needs",
        "an optional input was left out in the file",
        "none is needed",
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
        "none is needed: the operators stay as they are",
    ),
    RefusalCode.LCE_LIMIT: Explanation(
        "LCE's kernels or its runtime do not have this combination",
        "a file must run in LCE's own runtime, too",
        "pad with ones instead of zeros, or apply the activation after the batch norm's bias was folded",
    ),
    RefusalCode.NO_GAIN: Explanation(
        "the rewrite would not make the file smaller or shorter",
        "it is as short as can be",
        "none is needed",
    ),
}

EXPLANATIONS = LAYERS | RULES
