"""Smaller files: the weights of the layers that stayed float as float16 or int8.

The constants get a DEQUANTIZE after them, which LiteRT (XNNPACK too) evaluates once, when a file is loaded: inference
is as fast as with float32, and so is the memory that it needs. Only weights of linear operators are worth it; biases,
batch norms and everything that the binary operators read stay what they are.
"""

from typing import Literal

import numpy as np

from mobile_bnn.converters.graph.model import Operator
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.storage.edge_quantizer import EdgeQuantizer

FloatWeights = Literal["float32", "float16", "int8"]

_LINEAR = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
# Below, the table of an operator and of another tensor takes what the weights save.
_FEWEST = 512


def float_weights(model: TfliteModel, kind: FloatWeights) -> TfliteModel:
    """A model whose remaining float weights are stored in fewer bits.

    Args:
        model: with or without LCE's operators; is not changed.
        kind: float16 rounds each weight to 11 significant bits; int8 to 1/127 of the largest of its output channel;
            float32 returns the model itself.

    Raises:
        MobileBnnError: ai-edge-quantizer is not installed, or refuses the model.
    """
    if kind == "float32":
        return model
    quantizer = EdgeQuantizer(model)
    found = [operator for graph in quantizer.model.graphs for operator in graph.operators if _has_weights(operator)]
    for operator in found:
        quantizer.store_weights(operator, kind)
    return quantizer.quantize() if found else model


def _has_weights(operator: Operator) -> bool:
    if operator.op_type not in _LINEAR or len(operator.inputs) < 2 or operator.inputs[1] is None:
        return False
    values = operator.inputs[1].values
    return values is not None and values.dtype == np.float32 and values.size >= _FEWEST
