"""The interpreter: LCE's reference kernel is the oracle, on both runtimes; every mistake gets one clear line."""

import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.runtime import Interpreter, library_path
from mobile_bnn.runtime.library import FILE, default_isa


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(3).normal(size=(5, 8, 8, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def expected(binary_tflite, images):
    import larq_compute_engine as lce

    return lce.testing.Interpreter(binary_tflite.read_bytes(), use_reference_bconv=True).predict(images)


def test_predicts_what_lces_reference_does(binary_tflite, images, expected):
    with Interpreter(binary_tflite) as interpreter:
        np.testing.assert_allclose(interpreter.predict(images), expected, atol=1e-6)


@pytest.mark.parametrize("isa", ["portable", "avx2", "avx512"])
@pytest.mark.parametrize("num_threads", [1, 2])
def test_every_instruction_set_gives_the_same(binary_tflite, images, expected, isa, num_threads):
    from mobile_bnn.profiling import local_machine

    needed = {"avx2": "avx2", "avx512": "avx512_vpopcntdq"}
    if needed.get(isa, "") not in ["", *local_machine().flags]:
        with pytest.raises(UsageError, match=f"this CPU has no {isa}"):
            Interpreter(binary_tflite, isa=isa)
        return
    with Interpreter(binary_tflite, isa=isa, num_threads=num_threads) as interpreter:
        np.testing.assert_allclose(interpreter.predict(images), expected, atol=1e-6)


def test_says_which_instruction_set_it_runs(binary_tflite):
    with Interpreter(binary_tflite, isa="portable") as interpreter:
        assert interpreter.isa == "portable"
    with Interpreter(binary_tflite) as interpreter:
        assert interpreter.isa == default_isa()
        # The name is one that the library takes.
        with Interpreter(binary_tflite, isa=interpreter.isa) as same:
            assert same.isa == interpreter.isa


def test_asking_for_the_instruction_set_needs_a_library_that_tells(tmp_path, monkeypatch):
    (tmp_path / "native").mkdir()
    library = tmp_path / "native" / FILE
    monkeypatch.setattr(sys.modules["mobile_bnn.runtime"], "__path__", [str(tmp_path)])
    with pytest.raises(MobileBnnError, match="the native library of mobile_bnn is not installed"):
        default_isa()
    library.write_bytes(b"no library" * 1000)
    with pytest.raises(MobileBnnError, match=r"the native library cannot be loaded: .*invalid ELF header"):
        default_isa()
    shutil.copy(_some_other_library(), library)
    with pytest.raises(MobileBnnError, match="the native library is older than this package"):
        default_isa()


def _some_other_library():
    """The C library's file, which this process has loaded."""
    return next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libc" in line)


@pytest.mark.filterwarnings("ignore::UserWarning")  # that tf.lite.Interpreter is deprecated
def test_works_on_tensorflows_runtime_too(binary_tflite, images, expected):
    from mobile_bnn.legacy_keras import tf

    with Interpreter(binary_tflite, runtime=tf.lite) as interpreter:
        np.testing.assert_allclose(interpreter.predict(images), expected, atol=1e-6)


def test_batches_of_any_size_one_after_the_other(binary_tflite, images, expected):
    with Interpreter(binary_tflite) as interpreter:
        for count in (5, 1, 3, 1, 4):
            np.testing.assert_allclose(interpreter.predict(images[:count]), expected[:count], atol=1e-6)


def test_several_interpreters_in_several_threads(binary_tflite, images, expected):
    outputs = {}

    def run(index):
        with Interpreter(binary_tflite, num_threads=2) as interpreter:
            outputs[index] = [interpreter.predict(images) for _ in range(20)]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outputs) == 4
    for results in outputs.values():
        for result in results:
            np.testing.assert_allclose(result, expected, atol=1e-6)


def test_details_and_signatures(binary_tflite):
    with Interpreter(binary_tflite.read_bytes()) as interpreter:
        assert interpreter.input_details[0]["shape"].tolist() == [1, 8, 8, 32]
        assert interpreter.output_details[0]["dtype"] == np.float32
        assert interpreter.signatures["serving_default"]["inputs"] == ["image"]
        assert interpreter.metadata is None


def test_float_files_run_too(float_tflite, images):
    with Interpreter(float_tflite) as interpreter:
        assert interpreter.predict(images[:1]).shape == (1, 10)


def test_what_does_not_fit_is_refused(binary_tflite, images, tmp_path):
    with Interpreter(binary_tflite) as interpreter:
        with pytest.raises(UsageError, match=re.escape("the model takes arrays of (N, 8, 8, 32), not (8, 8, 32)")):
            interpreter.predict(images[0])
        with pytest.raises(UsageError, match="the model takes float32, not float64"):
            interpreter.predict(images.astype(np.float64))
        with pytest.raises(UsageError, match="the model has 1 input, not 2"):
            interpreter.predict([images, images])
    with pytest.raises(UsageError, match="this interpreter is closed"):
        interpreter.predict(images)
    with pytest.raises(UsageError, match=r'option num_threads: "0" is no number from 1 to 256'):
        Interpreter(binary_tflite, num_threads=0)
    with pytest.raises(UsageError, match=r'option isa: unknown value "sse9", known are .*portable'):
        Interpreter(binary_tflite, isa="sse9")
    with pytest.raises(UsageError, match=r"there is no \.tflite file"):
        Interpreter(tmp_path / "no.tflite")
    with pytest.raises(MobileBnnError, match="is truncated or malformed"):
        Interpreter(binary_tflite.read_bytes()[:2000])


def test_the_library_is_installed_beside_the_package():
    assert library_path().name == "libmobile_bnn_delegate.so"
    assert library_path().stat().st_size < 500_000


def test_it_never_imports_tensorflow(binary_tflite):
    code = f"""
import sys
import numpy as np
from mobile_bnn.runtime import Interpreter
with Interpreter({str(binary_tflite)!r}) as interpreter:
    interpreter.predict(np.zeros((2, 8, 8, 32), np.float32))
assert not {{"tensorflow", "larq", "keras"}} & set(sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


MANY_TIMES = """
import sys
import numpy as np
import psutil
from mobile_bnn.runtime import Interpreter

image = np.ones((1, 8, 8, 32), np.float32)

def rounds(count):
    for _ in range(count):
        with Interpreter(sys.argv[1], num_threads=2) as interpreter:
            interpreter.predict(image)
    return psutil.Process().memory_info().rss, psutil.Process().num_threads()

before, threads_before = rounds(100)
after, threads_after = rounds(400)
print(after - before, threads_after - threads_before)
"""


def test_interpreters_can_be_made_and_closed_many_times(binary_tflite):
    """A leak of the model or of a thread would show in the process's memory; in one that nothing else runs in."""
    command = [sys.executable, "-c", MANY_TIMES, str(binary_tflite)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    more_bytes, more_threads = map(int, ended.stdout.split())
    assert more_bytes < 4_000_000
    assert more_threads <= 0
