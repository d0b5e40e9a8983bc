"""Our files beside LCE's of the same Keras model: never more operators, nor more bytes."""

import pytest
from calibrated import calibrated
from matrix.outcome import convert, operators_of

from mobile_bnn import zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.training import Recipe
from mobile_bnn.typing import Options
from tests.support.lce_files import lce_file


@pytest.mark.parametrize(
    "name",
    [
        "binary_lenet",
        "quicknet_small",
        pytest.param("real_to_binary_net", marks=pytest.mark.slow),
    ],
)
def test_no_file_has_more_operators_or_bytes_than_lces(name: str) -> None:
    size = max(zoo.get(name).smallest_input, 8)
    tf.keras.utils.set_random_seed(5)
    # Zeros around maps that are smaller than the filter cost an addition here, and are wrong in LCE's kernels.
    network: Options = {"padding": "fast"} if "padding" in zoo.get(name).options.model_fields else {}
    model = calibrated(zoo.build(name, Recipe.of_zoo(name).method, (size, size, 3), 10, network=network))
    ours, theirs = convert(model), lce_file(model)
    assert not ours.refusals
    assert ours.operators.total() <= operators_of(theirs).total(), ours.operators - operators_of(theirs)
    assert len(ours.flatbuffer) <= len(theirs)
