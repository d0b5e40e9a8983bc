"""Importing is instant and quiet, and a Keras 3 that is already there is named with its cure."""

import gc
import os
import subprocess
import sys
import weakref

import pytest

BUILD = """
import mobile_bnn.legacy_keras as door
assert door.tf.keras.layers.Layer.__module__.startswith("tf_keras"), door.tf.keras.layers.Layer.__module__
layer = door.larq.layers.QuantDense(4, input_quantizer="ste_sign")
assert layer(door.tf.ones((1, 3))).shape == (1, 4)
"""
CONVERT = """
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(2)])
tf.lite.TFLiteConverter.from_keras_model(model).convert()
import sys
assert sys.modules["keras"].__version__.startswith("3.")  # TensorFlow's converter has loaded it
"""
NO_TF_KERAS = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tf_keras":
            raise ModuleNotFoundError("No module named 'tf_keras'", name="tf_keras")
sys.meta_path.insert(0, Refuse())
"""


def python(code, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS"))}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**clean, **environment})


def test_importing_the_package_loads_no_tensorflow():
    heavy = "{'tensorflow', 'larq', 'keras', 'tf_keras', 'ai_edge_litert'}"
    code = f"import sys, mobile_bnn, mobile_bnn.zoo, mobile_bnn.methods; assert not {heavy} & set(sys.modules)"
    result = python(code)
    assert result.returncode == 0, result.stderr


def test_an_unknown_part_is_an_attribute_error():
    result = python("import mobile_bnn; mobile_bnn.zoology")
    assert "has no attribute 'zoology'" in result.stderr


def test_keras_2_is_chosen_and_nothing_is_printed():
    result = python(
        "from mobile_bnn.legacy_keras import tf; assert tf.keras.layers.Layer.__module__.startswith('tf_keras')"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr == ""


def test_whoever_asks_for_tensorflows_messages_gets_them():
    result = python("from mobile_bnn.legacy_keras import tf", TF_CPP_MIN_LOG_LEVEL="0")
    assert "oneDNN" in result.stderr or "cuda" in result.stderr.lower()


@pytest.mark.parametrize(
    "first", ["import keras", "import tensorflow as tf; tf.keras.layers.Dense", "import tensorflow"]
)
def test_a_loaded_keras_3_is_named_with_its_cure(first):
    result = python(f"{first}\nfrom mobile_bnn.legacy_keras import tf")
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: Keras 3.")
    assert "is already loaded" in last
    assert "TF_USE_LEGACY_KERAS=1" in last


def test_tensorflow_loaded_with_keras_2_is_welcome():
    result = python("import tensorflow\nfrom mobile_bnn.legacy_keras import tf", TF_USE_LEGACY_KERAS="1")
    assert result.returncode == 0, result.stderr


def test_a_missing_tensorflow_names_the_extra():
    code = "import sys; sys.modules['larq'] = None\nfrom mobile_bnn.legacy_keras import tf"
    result = python(code)
    assert "pip install 'mobile-bnn[train]'" in result.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, "1"), ({"TF_USE_LEGACY_KERAS": ""}, "1"), ({"TF_USE_LEGACY_KERAS": "0"}, "0")],
    ids=["unset", "empty", "the user's own"],
)
def test_importing_the_package_chooses_keras_2_where_nobody_has_chosen(before, after):
    result = python("import mobile_bnn, os; print(os.environ['TF_USE_LEGACY_KERAS'])", **before)
    assert result.stdout == f"{after}\n", result.stderr


@pytest.mark.parametrize("order", ["tensorflow, larq, keras", "larq, keras, tensorflow", "keras, tensorflow, larq"])
def test_after_the_package_all_may_be_imported_in_any_order(order):
    result = python(f"import mobile_bnn, {order}{BUILD}")
    assert result.returncode == 0, result.stderr


def test_a_keras_3_that_tensorflows_converter_loads_is_no_matter():
    result = python(f"{CONVERT}{BUILD}", TF_USE_LEGACY_KERAS="True")
    assert result.returncode == 0, result.stderr


def test_a_keras_3_that_the_user_asks_for_is_refused_by_that_name():
    result = python("from mobile_bnn.legacy_keras import tf", TF_USE_LEGACY_KERAS="0")
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: tf.keras is Keras 3.")
    assert "as TF_USE_LEGACY_KERAS=0 asks for" in last
    assert last.endswith("Cure: leave TF_USE_LEGACY_KERAS unset, or set it to 1.")


def test_tensorflow_that_came_first_keeps_the_keras_that_it_has():
    code = "import tensorflow as tf, mobile_bnn; print(tf.keras.layers.Layer.__module__, tf.optimizers.Adam.__module__)"
    result = python(code)
    assert result.stdout.startswith("keras."), result.stderr
    assert "tf_keras" not in result.stdout


@pytest.mark.parametrize("missing", [NO_TF_KERAS, "import sys; sys.modules['tf_keras'] = None\n"], ids=["no", "None"])
def test_a_missing_tf_keras_is_named(missing):
    last = python(f"{missing}from mobile_bnn.legacy_keras import tf").stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: tf_keras is not installed; "), last
    assert last.endswith("Cure: pip install 'mobile-bnn[train]'.")


def test_errors_printed_by_native_code_are_passed_on():
    code = """
import os
from mobile_bnn.native_output import without_noise
with without_noise():
    os.write(2, b"I0000 00:00:1 1 port.cc:153] chatter\\nE0000 00:00:1 1 memory.cc:1] out of memory\\n")
"""
    result = python(code)
    assert result.stderr == "E0000 00:00:1 1 memory.cc:1] out of memory\n"


def test_a_layer_that_raises_leaves_no_quantized_scope_behind():
    from mobile_bnn.legacy_keras import larq, tf

    layer = larq.layers.QuantConv2D(4, 5, kernel_quantizer="ste_sign", kernel_constraint="weight_clip")
    with pytest.raises(ValueError, match="size"):
        layer(tf.zeros((1, 2, 2, 3)))
    assert not larq.context.should_quantize()


def test_a_model_that_cannot_be_built_leaves_no_metrics_behind():
    from mobile_bnn.legacy_keras import larq

    def fail():
        with larq.context.metrics_scope(["flip_ratio"]):
            assert larq.context.get_training_metrics() == {"flip_ratio"}
            raise ValueError("the image is too small")

    with pytest.raises(ValueError, match="the image is too small"):
        fail()
    assert larq.context.get_training_metrics() == set()


def traced_signs():
    """A weak reference to the graph of a function that is gone."""
    from mobile_bnn.legacy_keras import larq, tf

    signs = tf.function(larq.quantizers.ste_sign).get_concrete_function(tf.TensorSpec((3,)))
    return weakref.ref(signs.graph)


def test_traces_of_custom_gradients_are_freed():
    from mobile_bnn.legacy_keras import traces_freed

    kept = traced_signs()
    with traces_freed():
        freed = traced_signs()
    gc.collect()
    assert kept() is not None  # or the context manager would not be needed any more
    assert freed() is None


def test_a_network_of_the_zoo_that_is_gone_holds_no_memory():
    from mobile_bnn import zoo

    handles = [weakref.ref(weight.handle) for weight in zoo.build("binary_lenet").weights]
    gc.collect()
    assert len(handles) > 5
    assert [handle for handle in handles if handle() is not None] == []
