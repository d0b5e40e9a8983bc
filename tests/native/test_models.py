"""Whole models and runs of operators: tensors inside a partition, resizing, threads, many interpreters."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from ai_edge_litert.interpreter import Delegate, Interpreter, load_delegate
from calibrated import calibrated
from model_equality import equals_lce
from network import network
from numpy_bconv import BconvCase, pack
from single_operator import TensorSpec, chain, create_interpreter, invoke, run_delegate, run_lce

from mobile_bnn import zoo
from tests.support.lce_files import lce_file

# Those that Larq Zoo has and this zoo had first, with `binary_lenet`, `binary_net` and `resnet20`; later ones are
# compared at small images (`test_small_models`). LCE's converter takes minutes and gigabytes for the binary dense
# layers of the AlexNets, or fails.
CONVERTED_BY_LCE = (
    "binary_densenet28",
    "binary_densenet37",
    "binary_densenet37_dilated",
    "binary_densenet45",
    "binary_lenet",
    "binary_net",
    "binary_resnet_e18",
    "birealnet18",
    "meliusnet22",
    "quicknet",
    "quicknet_large",
    "quicknet_small",
    "real_to_binary_net",
    "resnet20",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERTED_BY_LCE)
def test_models_of_the_zoo_equal_lce(name: str, delegates: dict[str, Delegate]) -> None:
    from mobile_bnn.legacy_keras import tf
    from mobile_bnn.training import Recipe

    tf.keras.utils.set_random_seed(1)
    model = calibrated(zoo.build(name, Recipe.of_zoo(name).method))
    assert equals_lce(lce_file(model), delegates, model.input_shape)


def test_the_tiny_model_equals_lce(binary_tflite: Path, delegates: dict[str, Delegate]) -> None:
    flatbuffer = binary_tflite.read_bytes()
    for seed in range(3):
        image = np.random.default_rng(seed).normal(size=(1, 8, 8, 32)).astype(np.float32)
        expected = run_lce(flatbuffer, image)
        for name, delegate in delegates.items():
            actual = run_delegate(flatbuffer, delegate, image)
            # The float operators after the binary ones are another library's here and there.
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_tiny_model_with_xnnpack_and_a_larger_batch(binary_tflite: Path, delegate: Delegate) -> None:
    images = np.random.default_rng(0).normal(size=(5, 8, 8, 32)).astype(np.float32)
    interpreter = Interpreter(str(binary_tflite), experimental_delegates=[delegate])
    actual = invoke(interpreter, images)
    for image, scores in zip(images, actual, strict=True):
        expected = run_lce(binary_tflite.read_bytes(), image[None])
        np.testing.assert_allclose(scores[None], expected, rtol=1e-5, atol=1e-6)


def test_a_partition_of_several_operators_follows_every_resize(delegates: dict[str, Delegate]) -> None:
    model, expected = network()
    for delegate in delegates.values():
        interpreter = create_interpreter(model, delegate)
        for shape in [(1, 9, 9), (2, 9, 9), (1, 4, 13), (3, 2, 2), (1, 9, 9)]:
            x = np.random.default_rng(sum(shape)).normal(size=(*shape, 64)).astype(np.float32)
            np.testing.assert_array_equal(invoke(interpreter, x), expected(x))


@pytest.mark.filterwarnings("ignore::UserWarning")  # that tf.lite.Interpreter is deprecated
def test_tensorflows_own_interpreter_takes_it_too(library: Path) -> None:
    from mobile_bnn.legacy_keras import tf

    model, expected = network()
    x = np.random.default_rng(0).normal(size=(2, 9, 9, 64)).astype(np.float32)
    delegate = tf.lite.experimental.load_delegate(str(library))
    interpreter = tf.lite.Interpreter(model_content=model, experimental_delegates=[delegate])
    np.testing.assert_array_equal(invoke(interpreter, x), expected(x))


def test_every_number_of_threads_gives_the_same_bits(library: Path) -> None:
    model, expected = network()
    x = np.random.default_rng(0).normal(size=(2, 31, 17, 64)).astype(np.float32)
    for threads in (1, 2, 3, 8):
        delegate = load_delegate(str(library), {"num_threads": threads})
        interpreter = create_interpreter(model, delegate)
        for _ in range(20):
            np.testing.assert_array_equal(invoke(interpreter, x), expected(x))


def test_groups_whose_bits_share_words(delegates: dict[str, Delegate]) -> None:
    case = BconvCase(2, size=(9, 9), channels=96, outputs=3 * 41, groups=3, output="bits")
    for delegate in delegates.values():
        np.testing.assert_array_equal(run_delegate(case.model(), delegate, case.input), case.expected())


def test_one_thread_starts_none(library: Path) -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    before = threads()
    one = load_delegate(str(library), {"num_threads": 1})
    assert threads() == before
    three = load_delegate(str(library), {"num_threads": 3})
    assert threads() == before + 2
    del one, three
    assert threads() == before


@pytest.mark.parametrize("shared", [False, True])
def test_interpreters_in_several_threads(library: Path, shared: bool) -> None:
    model, expected = network()
    x = np.random.default_rng(0).normal(size=(1, 9, 9, 64)).astype(np.float32)
    wanted = expected(x)
    common = load_delegate(str(library), {"num_threads": 2})
    wrong: list[int] = []

    def work(number: int) -> None:
        own = common if shared else load_delegate(str(library), {"num_threads": 2})
        interpreter = create_interpreter(model, own)
        wrong.extend(number for _ in range(50) if not np.array_equal(invoke(interpreter, x), wanted))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("num_threads", [1, 3])
def test_threads_pass_interpreters_on(library: Path, num_threads: int) -> None:
    """Each is made in one thread, used in a second, dropped in a third, while others do the same on their delegate."""
    model, expected = network()
    x = np.random.default_rng(0).normal(size=(1, 9, 9, 64)).astype(np.float32)
    wanted = expected(x)
    delegate = load_delegate(str(library), {"num_threads": num_threads})

    def make(_: int) -> list[Interpreter]:
        return [create_interpreter(model, delegate)]

    def use(interpreters: list[Interpreter]) -> list[Interpreter]:
        for _ in range(3):
            np.testing.assert_array_equal(invoke(interpreters[0], x), wanted)
        return interpreters

    with ThreadPoolExecutor(2) as makers, ThreadPoolExecutor(3) as users, ThreadPoolExecutor(2) as droppers:
        used = users.map(use, makers.map(make, range(40)))
        assert len(list(droppers.map(lambda interpreters: interpreters.clear(), used))) == 40


def test_a_thousand_interpreters_leak_nothing(library: Path) -> None:
    # A filter of 1 MB, so that a leaked one would show.
    case = BconvCase(0, size=(3, 3), channels=1024, outputs=1024)
    model, x = case.model(), case.input

    def cycle(times: int) -> None:
        for _ in range(times):
            run_delegate(model, load_delegate(str(library), {"num_threads": 2}), x)

    # AddressSanitizer keeps the last 256 MB that were freed: they are full before the first measurement.
    cycle(300)
    before = psutil.Process().memory_info().rss
    cycle(1000)
    after = psutil.Process().memory_info().rss
    assert after - before < 50e6  # a thousand filters would be a gigabyte


def test_the_packed_words_are_lces_own() -> None:
    # The helper that makes every test's input agrees with LCE's Quantize.
    signs = np.random.default_rng(0).random((1, 2, 2, 45)) < 0.5
    model = chain([("LceQuantize", [TensorSpec(signs.shape)], TensorSpec((1, 2, 2, 2), np.int32), b"")])
    np.testing.assert_array_equal(run_lce(model, np.where(signs, -1, 1).astype(np.float32)), pack(signs))
