"""What all methods share, and IR-Net's formulas in NumPy, forward and backward."""

import math

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.methods.plan import Phase, first_epochs
from tests.methods.formulas import X, forward_and_gradient, sign


def error_decay(x, t):
    return max(1 / t, 1) * t * (1 - np.tanh(t * x) ** 2)


@pytest.mark.parametrize("t", [1e-3, 0.1, 1.0, 10.0])
def test_ir_net_activations_have_the_error_decay_gradient(t):
    quantizer = methods.create("ir_net").input_quantizer()
    quantizer.parameter.assign(t)
    y, gradient = forward_and_gradient(quantizer, X)
    np.testing.assert_array_equal(y, sign(X))
    np.testing.assert_allclose(gradient, error_decay(np.clip(X.astype(np.float64), -1e4, 1e4), t), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("t", [0.1, 5.0])
def test_ir_net_weights_are_balanced_signs_times_a_power_of_two(t):
    kernel = np.random.default_rng(2).normal(0.7, 0.3, (3, 3, 5, 4)).astype(np.float32)
    quantizer = methods.create("ir_net").kernel_quantizer()
    quantizer.parameter.assign(t)
    y, gradient = forward_and_gradient(quantizer, kernel)
    flat = kernel.reshape(-1, 4).astype(np.float64)
    count, std = len(flat), flat.std(0, ddof=1)
    standard = (flat - flat.mean(0)) / std
    scale = 2.0 ** np.round(np.log2(np.abs(standard).mean(0)))
    np.testing.assert_allclose(y.reshape(-1, 4), scale * sign(standard), rtol=1e-6)
    assert set(np.unique(np.log2(np.abs(y)) % 1)) == {0.0}
    # The sum of all outputs, through the standardization: d ŵ_j / d w_i = (δ_ij − 1/n − ŵ_i·ŵ_j/(n − 1)) / std.
    inner = scale * error_decay(standard, t)
    along = (standard * inner).sum(0) / (count - 1)
    np.testing.assert_allclose(
        gradient.reshape(-1, 4), (inner - inner.mean(0) - standard * along) / std, rtol=2e-3, atol=1e-4
    )


@pytest.mark.parametrize("kernel", [np.zeros((3, 3, 2, 2)), np.full((1, 1, 1, 3), 0.5)], ids=["dead", "one element"])
def test_ir_net_bears_filters_without_a_spread(kernel):
    y, gradient = forward_and_gradient(methods.create("ir_net").kernel_quantizer(), kernel.astype(np.float32))
    np.testing.assert_array_equal(y, np.ones_like(kernel))
    np.testing.assert_array_equal(gradient, np.zeros_like(kernel))


def test_ir_nets_t_grows_geometrically():
    method = methods.create("ir_net", t_min=0.01, t_max=10.0)
    assert (method.t(0), method.t(1)) == (0.01, pytest.approx(10))
    assert method.t(0.5) == pytest.approx(10 ** ((math.log10(0.01) + math.log10(10)) / 2))


def layer_model(layer):
    return tf.keras.Model(layer.input, layer.output)


def kernel_of(method, **options):
    image = tf.keras.layers.Input((4, 4, 3))
    return tf.keras.Model(image, method.conv2d(image, 2, 3, name="conv", **options)).get_layer("conv")


def test_binary_weights_of_bop_are_taken_as_they_are():
    layer = kernel_of(methods.create("bnn", bop=methods.Bop()))
    np.testing.assert_array_equal(layer.kernel_quantizer(X), X)
    assert layer.kernel_quantizer.precision == 1
    assert layer.kernel_constraint is None
    assert isinstance(layer.input_quantizer, larq.quantizers.SteSign)


def test_clip_becomes_the_kernels_constraint():
    constraint = kernel_of(methods.create("bnn")).kernel_constraint
    np.testing.assert_array_equal(constraint(tf.constant([-2.0, 0.5, 3.0])), [-1, 0.5, 1])
    free = kernel_of(methods.create("bnn", clip=math.inf)).kernel_constraint
    np.testing.assert_array_equal(free(tf.constant([-2e30, 0.5, 3.0])), np.array([-2e30, 0.5, 3.0], np.float32))


def test_a_convolution_is_padded_with_the_methods_value_or_the_one_that_is_given():
    assert kernel_of(methods.create("dorefa")).pad_values == 0
    assert kernel_of(methods.create("bnn")).pad_values == 1
    assert kernel_of(methods.create("bnn"), pad_value=-1.0).pad_values == -1


def test_two_stages_binarize_inputs_first():
    method = methods.create("bnn", float_kernels=0.25)
    first, second = method.phases()
    assert (first.share, second.share, second.reset_optimizer) == (0.25, 0.75, True)
    before, after = kernel_of(method.in_phase(first)), kernel_of(method.in_phase(second))
    assert before.kernel_quantizer is None
    assert before.kernel_constraint is None
    assert isinstance(before.input_quantizer, larq.quantizers.SteSign)
    assert isinstance(after.kernel_quantizer, larq.quantizers.SteSign)


def test_the_gradient_of_inputs_can_be_another_one():
    method = methods.create("xnor_net", input_gradient="piecewise_polynomial")
    x = tf.constant([-1.5, -0.5, -0.0, 0.0, 0.25, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        signs = kernel_of(method).input_quantizer(x)
    np.testing.assert_array_equal(signs, [-1, -1, 1, 1, 1, 1])
    np.testing.assert_allclose(tape.gradient(signs, x), [0, 1, 2, 2, 1.5, 0])


def test_the_gradient_of_inputs_sharpens_with_any_method():
    method = methods.create("xnor_net", input_gradient="error_decay")
    layer = kernel_of(method)
    (schedule,) = method.all_schedules(layer_model(layer))
    assert schedule.variable is layer.input_quantizer.parameter
    assert method.follows_progress()
    np.testing.assert_allclose([schedule.value(each) for each in (0.0, 0.5, 1.0)], [0.1, 1.0, 10.0])
    both = methods.create("ir_net", input_gradient="error_decay")
    layer = kernel_of(both)
    followed = [each.variable for each in both.all_schedules(layer_model(layer))]
    assert len(followed) == 2
    assert any(each is layer.input_quantizer.parameter for each in followed)


@pytest.mark.parametrize("name", ["dorefa", "bwn", "hwgq", "tbn"])
def test_what_is_not_a_sign_keeps_its_gradient(name):
    with pytest.raises(UsageError, match=f"{name} cannot be trained with method.input_gradient"):
        kernel_of(methods.create(name, input_gradient="identity"))


def test_a_method_with_phases_of_its_own_has_no_others():
    with pytest.raises(UsageError, match="the method has phases of its own"):
        methods.create("biper", float_start=0.1)
    with pytest.raises(UsageError, match="leaves no epoch"):
        methods.create("bnn", float_start=0.5, float_kernels=0.5)


def test_shares_of_phases_become_whole_epochs():
    phases = [Phase("a", 0.3), Phase("b", 0.3), Phase("c", 0.4)]
    assert first_epochs(phases, 10) == [0, 3, 6, 10]
    assert first_epochs(phases, 1) == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="must be above 0 and add up to 1"):
        first_epochs([Phase("a", 0.3)], 10)


@pytest.mark.parametrize("name", methods.names())
def test_cards_are_complete(name):
    method = methods.create(name)
    assert method.card.name == name
    assert method.card.deploy_class in methods.DEPLOY_CLASSES
    assert str(method.card.year) in method.card.paper or "arXiv" in method.card.paper
    assert all(field.description for field in type(method).model_fields.values())
    if quantizer := method.input_quantizer():
        values = np.unique(quantizer(tf.linspace(-2.0, 2.0, 101)))
        assert method.pad_value in values, "padding must be a value that the activations take"


def bop_refusal(name):
    try:
        image = tf.keras.layers.Input((4, 4, 8))
        methods.create(name, bop=methods.Bop()).conv2d(image, 8, 3, name="conv")
    except UsageError as error:
        return str(error)
    return ""


def test_bop_takes_methods_that_keep_weights_of_minus_1_and_1():
    refusals = {name: bop_refusal(name) for name in methods.names()}
    assert all("bop" in refusal for refusal in refusals.values() if refusal)
    assert {"bnn", "bi_real", "bwn", "dorefa", "xnor_net"} <= {name for name in refusals if not refusals[name]}
    others = {
        "full_precision",
        "ir_net",
        "recu",
        "rbnn",
        "dsq",
        "ada_bin",
        "lq_nets",
        "tsq",
        "syq",
        "bwnh",
        "prox_quant",
    }
    assert others <= {name for name in refusals if refusals[name]}


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"unknown method 'bireal'\. Did you mean bi_real\? Known: .*ada_bin, .*bbg, "):
        methods.get("bireal")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"clp": 1.0},
            "recipe: unknown field of method bnn 'clp'. Did you mean clip? Known: bop, clip, "
            "float_kernels, float_start, input_gradient",
        ),
        ({"clip": -1.0}, "recipe: method.clip: Input should be greater than 0 (got -1.0)"),
        ({"bop": {"gamma": 2.0}}, "recipe: method.bop.gamma: Input should be less than or equal to 1 (got 2.0)"),
        (
            {"bop": {}, "float_kernels": 0.5},
            "recipe: method.bop: has no latent weights that float_start or float_kernels could train first",
        ),
    ],
)
def test_hyperparameters_out_of_range_are_named(fields, message):
    with pytest.raises(UsageError) as raised:
        methods.create("bnn", "recipe", **fields)
    assert str(raised.value) == message
