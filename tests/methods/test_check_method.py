"""The kit for methods: every method of ours passes, one from outside too, and each fault is named."""

import subprocess
import sys

import pytest

from mobile_bnn import legacy_keras as keras2
from mobile_bnn import methods
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.methods import Card
from mobile_bnn.testing import check_layers, check_method
from tests.support.registries import forget_registrations


def card(name, **fields):
    common = {"title": "T", "year": 2026, "paper": "P 2026", "category": "naive", "deploy_class": "1", "summary": "S"}
    return Card(**{"name": name, **common, **fields})


@pytest.mark.parametrize("name", methods.names())
def test_layers_of_every_method_pass(name):
    """Their trainings take too long for here: make test-methods-long."""
    check_layers(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ir_net", "binary_connect"])
def test_methods_train_resume_and_convert(name):
    """One with a schedule and quantizers of its own, and one that leaves inputs float."""
    found = check_method(name)
    assert found.method == name
    assert found.best_accuracy >= 0.3


TWO_DEVICES = """
import sys
from mobile_bnn import methods
from mobile_bnn.legacy_keras import tf
from mobile_bnn.testing.device_check import check_devices
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
for name in sys.argv[1:]:
    check_devices(methods.create(name))
    print(name)
"""


@pytest.mark.slow
def test_two_devices_train_as_one():
    """Methods that change the optimizer, the loss or weights between steps; make test-methods-long has all."""
    names = ["binary_connect", "inq", "lab", "main_subsidiary", "ir_net"]
    result = subprocess.run([sys.executable, "-c", TWO_DEVICES, *names], capture_output=True, text=True, timeout=300)
    assert result.stdout.split() == names, result.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"bop": methods.Bop(gamma=0.01)}, {"float_kernels": 0.4}], ids=str)
def test_options_of_every_method_pass(options):
    check_method(methods.create("bnn", **options))


class Theirs(methods.get("bnn")):
    """Of another package: the weights of one layer around each convolution, and a padding of -1."""

    card = card("theirs")
    pad_value = -1.0

    def conv2d(self, x, *shape, name, **options):
        """A convolution with a learned scale of each output channel."""
        y = super().conv2d(x, *shape, name=name, **options)
        return keras2.layers.DepthwiseConv2D(1, use_bias=False, name=f"{name}_scale")(y)


@pytest.mark.slow
def test_a_method_with_layers_of_its_own_passes():
    check_method("theirs")


class _Unregistered(methods.get("bnn")):
    card = card("bnn")


class _WrongPadding(methods.get("bnn")):
    card = card("wrong_padding")
    pad_value = 0.0


class _NotAQuantizer(methods.get("bnn")):
    card = card("not_a_quantizer")

    def input_quantizer(self):
        return keras2.layers.Activation("tanh")


class _NoGradient(methods.get("bnn")):
    card = card("no_gradient")

    def kernel_quantizer(self):
        return keras2.tf.sign


class _NotFinite(methods.get("bnn")):
    card = card("not_finite")

    def kernel_quantizer(self):
        return lambda x: x / keras2.tf.abs(x)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (_Unregistered(), "the method registered as 'bnn' is"),
        (_WrongPadding(), r"pad_value 0.0 is not one of the input's values \[-1"),
        (_NotAQuantizer(), "input_quantizer gives 1001 different values"),
        (_NoGradient(), "kernel_quantizer lets no gradient pass"),
        (_NotFinite(), "kernel_quantizer gives a value that is not finite"),
    ],
    ids=lambda value: getattr(value, "card", None) and value.card.name,
)
def test_a_fault_is_named(method, message):
    with pytest.raises(AssertionError, match=message):
        check_method(method)


OTHERS = (Theirs, _WrongPadding, _NotAQuantizer, _NoGradient, _NotFinite)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    """Known for one test alone."""
    forget_registrations(monkeypatch)
    for method in OTHERS:
        methods.register(method)


def test_two_methods_of_one_name_are_refused_and_a_cell_may_run_twice():
    with pytest.raises(ValueError, match=r"there is a method 'bnn' already: mobile_bnn.methods.naive.bnn.Bnn"):
        methods.register(_Unregistered)
    assert methods.register(Theirs) is Theirs


def test_entry_points_bring_methods(tmp_path, monkeypatch):
    """As an installed package does: metadata in a folder on the path."""
    (tmp_path / "other_bnn.py").write_text(
        "from mobile_bnn.methods import get, register\n"
        "@register\nclass Plugged(get('bnn')):\n"
        "    card = get('bnn').card.model_copy(update={'name': 'plugged'})\n"
    )
    (tmp_path / "other_broken.py").write_text("raise RuntimeError('no licence')\n")
    info = tmp_path / "other_bnn-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-bnn\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mobile_bnn.methods]\nplugged = other_bnn:Plugged\nbroken_one = other_broken:X\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert {"plugged", "broken_one"} <= set(methods.names())
    assert methods.create("plugged", clip=2.0).clip == 2.0
    with pytest.raises(MobileBnnError, match=r"the method 'broken_one' of other_broken:X cannot be loaded: no licence"):
        methods.get("broken_one")
    with pytest.raises(UsageError, match=r"unknown method 'pluged'. Did you mean plugged"):
        methods.get("pluged")
