"""Interpreter.profile(): the library's own times of its operators, from its option to the list."""

import re

import numpy as np
import pytest

from mobile_bnn.errors import UsageError
from mobile_bnn.runtime import Interpreter
from tests.support.lce_files import lce_file


@pytest.mark.parametrize("num_threads", [1, 2])
def test_the_library_times_its_own_operators(binary_tflite, num_threads):
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 32)).astype(np.float32)
    with Interpreter(binary_tflite, num_threads=num_threads) as interpreter:
        before = interpreter.predict(images)
        times = interpreter.profile(images, runs=7)
        np.testing.assert_array_equal(interpreter.predict(images), before)
    # Every binary operator of the file is in one of the lines, those that run as one in one line together.
    parts = [part for time in times for part in time.name.split("+") if part.startswith("Lce")]
    assert parts == ["LceQuantize", "LceBconv2d", "LceBconv2d"]
    assert all(time.median_ms > 0 for time in times)
    assert sum(time.share for time in times) == pytest.approx(1)


def test_nothing_is_left_behind(binary_tflite, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Interpreter(binary_tflite) as interpreter:
        assert interpreter.profile(np.zeros((1, 8, 8, 32), np.float32), runs=1)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_timed_is_refused(binary_tflite, float_tflite):
    image = np.zeros((1, 8, 8, 32), np.float32)
    with Interpreter(binary_tflite) as interpreter:
        with pytest.raises(UsageError, match="0 runs cannot be timed"):
            interpreter.profile(image, runs=0)
        with pytest.raises(UsageError, match=re.escape("the model takes arrays of (N, 8, 8, 32), not (8, 8, 32)")):
            interpreter.profile(image[0])
    with pytest.raises(UsageError, match="this interpreter is closed"):
        interpreter.profile(image)
    with (
        Interpreter(float_tflite) as interpreter,
        pytest.raises(UsageError, match="there is nothing to profile: the model has no binary operator"),
    ):
        interpreter.profile(image)


def test_every_binary_operator_of_a_residual_network_is_timed_once(tmp_path):
    from mobile_bnn import zoo
    from mobile_bnn.runtime import operator_table

    path = tmp_path / "resnet20.tflite"
    path.write_bytes(lce_file(zoo.build("resnet20", "bi_real", (16, 16, 3), 4)))
    operators = operator_table(path).operators
    with Interpreter(path) as interpreter:
        times = interpreter.profile(np.zeros((1, 16, 16, 3), np.float32), runs=2)
    timed = [part for time in times for part in time.name.split("+") if part.startswith("Lce")]
    assert sorted(timed) == sorted(operator.name for operator in operators if operator.binary)
    assert all(operators[time.operator].layer == time.layer != "" for time in times)
