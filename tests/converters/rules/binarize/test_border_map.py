"""What explicit padding lacks is a map of few different pixels, which the file does not repeat."""

import numpy as np
import pytest
from litert_runs import run

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter
from mobile_bnn.converters.rules.binarize import border_map
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import adversarial, check, convolve, lowered, sign, to_float

GAMMA, BETA = np.random.default_rng(3).normal(size=(2, 8)).astype(np.float32)


def strided(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
    """As PyTorch pads: zeros on all sides, and the last ones unread."""
    return convolve(tf.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)]), weights, "valid", stride=2)


@pytest.mark.parametrize("shape", [(1, 16, 12, 32), (1, 13, 16, 32)])
def test_zeros_around_signs(shape: tuple[int, ...]) -> None:
    kinds = {"LceQuantize": 1, "LceBconv2d": 1, "GATHER": 2, "ADD": 1, "PADV2": 1}
    check(strided, shape, kinds, filter_of("sign", (3, 3, 32, 8)))


def test_a_batch_norm_after_it_scales_what_is_stored() -> None:
    kinds = {"LceBconv2d": 1, "GATHER": 2, "ADD": 1, "MUL": 0}
    weights = filter_of("sign", (3, 3, 32, 8))
    check(lambda x, w: strided(x, w) * GAMMA + BETA, (1, 16, 12, 32), kinds, weights)


def test_no_map_is_in_the_file() -> None:
    flatbuffer, graph = lowered(to_float(strided, (1, 32, 32, 32), filter_of("sign", (3, 3, 32, 8))))
    maps = [tensor for tensor in graph.tensors() if tensor.content is not None and tensor.content.size > 1024]
    assert maps == []
    assert len(flatbuffer) < 16 * 16 * 8 * 4  # of the map alone


def test_a_batch_of_any_size() -> None:
    before = to_float(strided, (None, 16, 12, 32), filter_of("sign", (3, 3, 32, 8)))
    x = adversarial((3, 16, 12, 32))
    binary, _ = lowered(before)
    np.testing.assert_array_equal(run(binary, x, library=True), run(before, x))


@pytest.mark.parametrize("values", [adversarial((1, 9, 7, 3)), np.ones((1, 1, 1, 4), np.float32)])
def test_maps_of_different_pixels_are_stored_as_they_are(values: np.ndarray) -> None:
    x, y = (Tensor.of(name, values.shape, np.float32) for name in "xy")
    relu = Operator.builtin("RELU", [x], [y])
    graph = Graph("one operator", [x], [y], [relu])
    np.testing.assert_array_equal(border_map.put(Rewriter(graph, relu), "x", values).values, values)
    assert list(graph.operators) == [relu]
