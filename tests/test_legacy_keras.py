"""Importing is instant and quiet, and a Keras 3 that is already there is named with its cure."""

import os
import subprocess
import sys

import pytest


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
    result = python("import mobile_bnn.legacy_keras", TF_CPP_MIN_LOG_LEVEL="0")
    assert "oneDNN" in result.stderr or "cuda" in result.stderr.lower()


@pytest.mark.parametrize(
    "first", ["import keras", "import tensorflow as tf; tf.keras.layers.Dense", "import tensorflow"]
)
def test_a_loaded_keras_3_is_named_with_its_cure(first):
    result = python(f"{first}\nimport mobile_bnn.legacy_keras")
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: Keras 3.")
    assert "is already loaded" in last
    assert "TF_USE_LEGACY_KERAS=1" in last


def test_tensorflow_loaded_with_keras_2_is_welcome():
    result = python("import tensorflow\nimport mobile_bnn.legacy_keras", TF_USE_LEGACY_KERAS="1")
    assert result.returncode == 0, result.stderr


def test_a_missing_tensorflow_names_the_extra():
    code = "import sys; sys.modules['larq'] = None\nimport mobile_bnn.legacy_keras"
    result = python(code)
    assert "pip install 'mobile-bnn[train]'" in result.stderr.strip().splitlines()[-1]


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
