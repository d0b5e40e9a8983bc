"""docs/methods.md, the record of the checks, and the curves of `mbnn methods show --plot`."""

import sys
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.methods.checked import checked
from mobile_bnn.methods.curves import curves

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools" / "method_docs"))

import methods_page  # noqa: E402


def test_the_page_is_what_the_classes_say():
    """Else run tools/method_docs/methods_page.py."""
    assert methods_page.PAGE.read_text(encoding="utf-8") == methods_page.page()


def test_every_method_says_its_formula():
    assert all(methods.get(name).card.formula for name in methods.names())


@pytest.mark.parametrize("found", checked().values(), ids=lambda found: found.method)
def test_what_was_checked_is_what_the_card_says(found):
    """Else run make test-methods-long."""
    card = methods.get(found.method).card
    assert found.binary_convolutions == found.binary_layers * card.binary_convolutions
    assert bool(found.binary_layers) == bool(card.binary_convolutions)
    assert found.best_accuracy >= 0.5


def test_curves_of_a_sign_with_a_gradient_of_its_own():
    weights, activations = curves(methods.create("bi_real"))
    assert (weights.of, activations.of, activations.progress) == ("weights", "activations", 0)
    x = activations.x
    np.testing.assert_array_equal(activations.inferred, np.where(x >= 0, 1, -1))
    np.testing.assert_array_equal(activations.trained, activations.inferred)
    np.testing.assert_allclose(activations.gradient, np.clip(2 - 2 * abs(x), 0, None), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(abs(weights.inferred), abs(x).mean(), rtol=1e-5)


def test_curves_of_a_soft_sign_from_start_to_end():
    *_, start, end = curves(methods.create("self_binarizing"))
    assert (start.progress, end.progress) == (0, 1)
    np.testing.assert_allclose(start.trained, np.tanh(start.x), atol=1e-6)
    np.testing.assert_allclose(end.trained, np.tanh(1000 * end.x), atol=1e-3)
    np.testing.assert_array_equal(start.inferred, np.where(start.x >= 0, 1, -1))


@pytest.mark.parametrize("name", methods.names())
def test_every_method_has_finite_curves(name):
    method = methods.create(name)
    found = curves(method)
    wanted = {"weights": method.kernel_quantizer(), "activations": method.input_quantizer()}
    assert {curve.of for curve in found} == {of for of, quantizer in wanted.items() if quantizer}
    for curve in found:
        for values in (curve.trained, curve.inferred, curve.gradient):
            assert values.shape == curve.x.shape
            assert np.isfinite(values).all()
