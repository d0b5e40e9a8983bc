"""The bounds of step functions: how far a result may jump where the argument lies within its own bound of a step."""

import numpy as np
import pytest

from mobile_bnn.converters.verification.error_bounds.bound import Bounded
from mobile_bnn.converters.verification.error_bounds.steps import step


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
@pytest.mark.parametrize(
    ("op_type", "function"), [("SIGN", np.sign), ("ROUND", np.rint), ("FLOOR", np.floor), ("CEIL", np.ceil)]
)
def test_a_step_jumps_as_far_as_its_ends(op_type, function, shape):
    """Of scalars too, which NumPy makes numbers of."""
    generator = np.random.default_rng(4)
    for margin in (0.0, 1e-6, 0.3, 2.5):
        x = np.asarray(generator.choice([-1.5, -0.2, 0.0, 1e-7, 0.5, 0.999999, 3.0], shape), np.float32)
        found = step(op_type, [Bounded(x, np.float64(margin))], function(x))
        ends = [function(x.astype(np.float64) + by) for by in (margin, -margin)]
        expected = np.max([np.abs(end - function(x.astype(np.float64))) for end in ends], 0)
        np.testing.assert_array_equal(found.jump, expected)
        np.testing.assert_array_equal(found.values, function(x))
