"""FULLY_CONNECTED of an input of few values and few-valued weights: a sum of binary convolutions.

A dense layer over rows of F features is a 1x1 convolution over F channels. If the rows are flattened maps of H x W x C,
it is as well a convolution without padding with a filter of H x W over C channels, and the map is packed as it stands,
before it is flattened. The form with the fewest words in its filter is taken; of equals, one whose map is there
already. (C = 32: the same words, and no RESHAPE; C = 16: half the words of the HxW filter would be empty.)

With computed weights and nothing added it is the product of two activations (product.py).
"""

from math import prod

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.encoding import Plane, quantizer_of, reshaped_from
from mobile_bnn.converters.quantizers.filters import binary_filter
from mobile_bnn.converters.quantizers.steps import StepFunction
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.affine import activation_of
from mobile_bnn.converters.rules.binarize import product
from mobile_bnn.converters.rules.binarize.binary_sum import Convolution, linear, lower
from mobile_bnn.converters.rules.conv_params import ConvParams

ROOTS = frozenset({"FULLY_CONNECTED"})


def rewrite(graph: Graph, root: Operator) -> list[tuple[Operator, Plane]]:
    """Rewrites a FULLY_CONNECTED into LceQuantize and LceBconv2d, with a RESHAPE around them where it must be.

    Raises:
        NoMatch: its input or its weights take too many values, or it is not a plain product.
    """
    if root.input(1).content is None and root.inputs[2:] in ((), (None,)) and not activation_of(root):
        return product.multiply(graph, root, turned=(False, False))
    read = linear(root)
    outputs, features = read.weights.shape
    weights = binary_filter(read.weights.reshape(outputs, 1, 1, features), features)
    data = root.input(0)
    if prod(data.shape) % features:
        raise NoMatch(RefusalCode.INPUT_SHAPE_UNFIT, f"its input {list(data.shape)} does not have rows of {features}")
    steps = quantizer_of(graph, data)
    view, size = _view(_same_numbers(graph, data, steps), data, features)
    pixel, one = (0, 0), (1, 1)
    params = ConvParams(size, one, one, pixel, pixel, (view[1], view[2]))
    found = Convolution(steps, view, weights.viewed((*size, view[3])), read.bias, 0.0, params)
    return lower(graph, root, found)


def _same_numbers(graph: Graph, data: Tensor, steps: StepFunction) -> list[Tensor]:
    """The operator's input and every tensor that has the same elements, quantized or not, in another shape."""
    return [*reshaped_from(graph, data), *reshaped_from(graph, steps.subgraph.source)]


def _view(tensors: list[Tensor], data: Tensor, features: int) -> tuple[tuple[int, ...], tuple[int, int]]:
    """The map [N, H, W, C] that the convolution reads, and the size of its filter."""
    rows = prod(data.shape) // features
    views = []
    for shape in (tensor.shape for tensor in tensors if len(tensor.shape) == 4):
        if shape[3] == features:
            views.append((shape, (1, 1)))
        elif shape[0] == rows and prod(shape[1:]) == features:
            views.append((shape, (shape[1], shape[2])))
    if len(data.shape) == 3 and data.shape[2] == features:
        views.append(((data.shape[0], 1, data.shape[1], features), (1, 1)))
    views.append(((rows, 1, 1, features), (1, 1)))
    return min(views, key=lambda found: prod(found[1]) * ((found[0][3] + 31) // 32))
