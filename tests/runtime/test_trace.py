"""Times of every operator: they add up to the whole, name whom they belong to, and are read from an untrusted log."""

from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling import jobs_for, profile
from mobile_bnn.runtime import read_model
from mobile_bnn.runtime.library import load_delegate, peak_gmacs
from mobile_bnn.runtime.trace import read_nodes, trace_operators
from tests.support.native_builds import known_isas


def image(path: Path) -> "np.ndarray":
    """A random input of a file of one input."""
    graph = read_model(path).subgraphs[0]
    shape = graph.tensors[graph.inputs[0]].shape
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_every_operator_of_a_binary_file_is_there_once(binary_tflite: Path) -> None:
    trace = trace_operators(binary_tflite.read_bytes(), [image(binary_tflite)], runs=5, xnnpack=False)
    model = read_model(binary_tflite)
    names = "+".join(each.name for each in trace.times).split("+")
    assert sum(name.startswith("Lce") for name in names) == 3  # LceQuantize, two LceBconv2d
    assert {each.runs_in for each in trace.times} == {"delegate", "litert"}
    assert trace.delegated == sum(each.runs_in == "delegate" for each in trace.times for _ in each.name.split("+"))
    others = [index for each in trace.times if each.runs_in == "litert" for index in each.operators]
    assert len(others) == len(set(others)) == len(model.subgraphs[0].operators) - trace.delegated
    assert sum(each.share for each in trace.times) == pytest.approx(1)


def test_xnnpack_runs_many_as_one(float_tflite: Path) -> None:
    content, inputs = float_tflite.read_bytes(), [image(float_tflite)]
    together, apart = (trace_operators(content, inputs, runs=5, xnnpack=on) for on in (True, False))
    assert (together.delegated, apart.delegated) == (0, 0)
    assert any("+" in each.name for each in together.times if each.runs_in == "xnnpack")
    assert {each.runs_in for each in apart.times} == {"litert"}
    assert len(apart.times) == len(read_model(float_tflite).subgraphs[0].operators)
    assert sorted(index for each in together.times for index in each.operators) == sorted(
        index for each in apart.times for index in each.operators
    )


@pytest.mark.alone
def test_the_operators_add_up_to_the_whole(binary_tflite: Path, float_tflite: Path) -> None:
    """Of the tiny network, whose inference takes some microseconds, copying and calling are a part of their own."""
    (measured,) = profile(jobs_for(float_tflite, ["litert"]), threads=[1]).measurements
    for times in (measured.operator_times, measured.operator_times_plain):
        assert times
        assert all(each.median_ms >= 0 for each in times)
    assert 0.5 * measured.median_ms < sum(each.median_ms for each in measured.operator_times) < 1.1 * measured.median_ms
    (measured,) = profile(jobs_for(binary_tflite, ["delegate"]), threads=[1]).measurements
    assert measured.delegated_operators is not None
    assert measured.delegated_operators >= 3
    assert sum(each.median_ms for each in measured.operator_times) < 1.1 * measured.median_ms


def lines(*rows: tuple[int, str, str, int]) -> list[str]:
    return ["\t".join(map(str, row)) + "\n" for row in rows]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0\t0\tlitert\tfast\n", "is not call, operators, runner and nanoseconds"),
        ("0\t0\tlitert\t5", "is not call, operators, runner and nanoseconds"),
        ("0\t0,\tlitert\t5\n", "is not call, operators, runner and nanoseconds"),
        ("0\t0\tsome one\t5\n", "is not call, operators, runner and nanoseconds"),
        ("0\t0,99\tlitert\t5\n", "the file has no such operators"),
        ("0\t7:0\tlitert\t5\n", "the file has no such operators"),
        ("", ""),
    ],
)
def test_a_log_that_is_not_ours_is_refused(float_tflite: Path, line: str, why: str) -> None:
    with pytest.raises(MobileBnnError, match=r"the traced times cannot be read: .*") as caught:
        read_nodes([[line] if line else []], read_model(float_tflite))
    assert why in str(caught.value)


def test_who_runs_an_operator_does_not_change(float_tflite: Path) -> None:
    log = [lines((0, "0", "litert", 5)), lines((1, "0", "TfLiteXNNPackDelegate", 5))]
    with pytest.raises(MobileBnnError, match="TfLiteXNNPackDelegate runs what litert ran before"):
        read_nodes(log, read_model(float_tflite))


def test_medians_are_of_inferences_that_count(float_tflite: Path) -> None:
    log = [lines((call, "0", "litert", time)) for call, time in enumerate((9_000_000, 1_000_000, 3_000_000, 2_000_000))]
    (node,) = read_nodes(log, read_model(float_tflite), skip=1)
    assert (node.median_ms, node.calls, node.runs_in) == (2.0, 1, "litert")


def test_tracing_takes_no_other_option(tmp_path: Path) -> None:
    with pytest.raises(MobileBnnError, match="option trace: it goes with no other option"):
        load_delegate({"trace": str(tmp_path / "log"), "num_threads": "2"})
    with pytest.raises(MobileBnnError, match=r"option trace: cannot write .*: No such file or directory"):
        load_delegate({"trace": str(tmp_path / "none" / "log")})


def test_a_loop_s_time_is_without_what_runs_in_it(tmp_path: Path) -> None:
    """WHILE runs its body in a subgraph, whose operators have times of their own."""
    from mobile_bnn.legacy_keras import tf

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 16), tf.float32)])
    def loop(x: tf.Tensor) -> tf.Tensor:
        weights = tf.constant(np.random.default_rng(0).normal(size=(3, 3, 16, 16)).astype(np.float32) / 20)
        return tf.while_loop(
            lambda step, _: step < 7, lambda step, y: (step + 1, tf.nn.conv2d(y, weights, 1, "SAME")), (0, x)
        )[1]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([loop.get_concrete_function()])
    path = tmp_path / "loop.tflite"
    path.write_bytes(converter.convert())
    trace = trace_operators(path.read_bytes(), [image(path)], runs=5, xnnpack=False)
    (loop_time,) = (each for each in trace.times if each.name == "WHILE")
    (convolution,) = (each for each in trace.times if each.name == "CONV_2D")
    assert (convolution.calls, convolution.subgraph > 0) == (7, True)
    assert loop_time.median_ms < convolution.median_ms


def test_the_peak_of_each_instruction_set(tmp_path: Path) -> None:
    from mobile_bnn.runtime import default_isa, library_path

    peaks = {isa: peak_gmacs(isa, 5) for isa in known_isas(library_path())}
    assert peaks["portable"] is not None
    assert peaks[default_isa()] is not None
    assert peaks[default_isa()] >= peaks["portable"] > 1  # type: ignore[operator]
    assert peak_gmacs("mmx") is None
