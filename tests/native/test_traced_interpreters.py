"""Tracing as programs may do it: in many threads, with inputs that are resized, and beyond the trace's own end.

What is in a trace of a whole file is tested in tests/runtime/test_trace.py.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate, Interpreter, OpResolverType, load_delegate
from network import network
from single_operator import TensorSpec, chain

MODEL, EXPECTED = network()
KINDS = pytest.mark.parametrize("xnnpack", [True, False])


def image(batch: int = 1, size: int = 9) -> np.ndarray:
    return np.random.default_rng(batch).normal(size=(batch, size, size, 64)).astype(np.float32)


class Traced:
    """An interpreter, the delegate that computes in it and the one that traces it."""

    def __init__(self, library: Path, log: Path, model: bytes = MODEL, *, xnnpack: bool = False) -> None:
        self.log = log
        self.computing = load_delegate(str(library))
        self.trace: Delegate | None = load_delegate(str(library), {"trace": str(log)})
        kind = OpResolverType.AUTO if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        delegates = [self.computing]
        self.interpreter = Interpreter(
            model_content=model, experimental_delegates=delegates, experimental_op_resolver_type=kind
        )
        self.interpreter.allocate_tensors()
        self.interpreter._interpreter.ModifyGraphWithDelegate(self.trace._get_native_delegate_pointer())
        self.interpreter.allocate_tensors()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        (detail,) = self.interpreter.get_input_details()
        if tuple(detail["shape"]) != x.shape:
            self.interpreter.resize_tensor_input(detail["index"], x.shape)
            self.interpreter.allocate_tensors()
        self.interpreter.set_tensor(detail["index"], x)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])

    def lines(self) -> list[tuple[str, str, str]]:
        """Call, operators and runner of each line; the nanoseconds are those of no more than a minute."""
        rows = [line.split("\t") for line in self.log.read_text().splitlines()]
        assert all(0 <= int(nanoseconds) < 60e9 for *_, nanoseconds in rows)
        return [(call, operators, runner) for call, operators, runner, _ in rows]


def calls(count: int, *nodes: tuple[str, str]) -> list[tuple[str, str, str]]:
    """What so many inferences of these nodes write."""
    return [(str(call), *node) for call in range(count) for node in nodes]


OURS = ("0,1,2,3", "mobile_bnn")


@KINDS
def test_traced_interpreters_in_threads(library: Path, tmp_path: Path, xnnpack: bool) -> None:
    """Each writes its own inferences into its own file, while others are made, run and destroyed beside it."""
    x, wanted, runs = image(), EXPECTED(image()), 300
    together = threading.Barrier(3)

    def run(number: int) -> list[tuple[str, str, str]]:
        traced = Traced(library, tmp_path / f"{number}", xnnpack=xnnpack)
        together.wait()
        for _ in range(runs):
            np.testing.assert_array_equal(traced(x), wanted)
        return traced.lines()

    def make_and_destroy() -> None:
        together.wait()
        for number in range(40):
            traced = Traced(library, tmp_path / f"short {number}", xnnpack=xnnpack)
            np.testing.assert_array_equal(traced(x), wanted)
            assert traced.lines() == calls(1, OURS)

    with ThreadPoolExecutor(3) as threads:
        short = threads.submit(make_and_destroy)
        logs = [threads.submit(run, number) for number in range(2)]
        short.result()
        assert [each.result() for each in logs] == [calls(runs, OURS)] * 2


@KINDS
def test_an_input_is_resized_while_traced(library: Path, tmp_path: Path, xnnpack: bool) -> None:
    traced = Traced(library, tmp_path / "log", xnnpack=xnnpack)
    shapes = [(1, 9), (3, 9), (2, 14), (1, 9)]
    for batch, size in shapes:
        x = image(batch, size)
        np.testing.assert_array_equal(traced(x), EXPECTED(x))
    assert traced.lines() == calls(len(shapes), OURS)


def glue() -> bytes:
    """Ours between operators of the runtime's own, all of them resized together."""
    shape, any_batch = (1, 5, 5, 32), (-1, 5, 5, 32)
    x, words = TensorSpec(shape, signature=any_batch), TensorSpec((1, 5, 5, 1), np.int32)
    before, signs, after = (TensorSpec(shape) for _ in range(3))
    return chain(
        [
            ("ABS", [x], before, b""),
            ("LceQuantize", [before], words, b""),
            ("LceDequantize", [words], signs, b""),
            ("ABS", [signs], after, b""),
        ]
    )


@KINDS
def test_nodes_of_the_runtime_stay_traced_after_a_resize(library: Path, tmp_path: Path, xnnpack: bool) -> None:
    traced = Traced(library, tmp_path / "log", glue(), xnnpack=xnnpack)
    for batch in (1, 4, 2):
        x = np.random.default_rng(batch).normal(size=(batch, 5, 5, 32)).astype(np.float32)
        np.testing.assert_array_equal(traced(x), np.ones_like(x))
    lines = traced.lines()
    assert [line for line in lines if line[2] == "mobile_bnn"] == calls(3, ("1,2", "mobile_bnn"))
    others = {runner for _, _, runner in lines} - {"mobile_bnn"}
    assert others == ({"TfLiteXNNPackDelegate"} if xnnpack else {"litert"})
    assert [line[:2] for line in lines] == [(str(call), node) for call in range(3) for node in ("0", "1,2", "3")]


@KINDS
def test_a_trace_that_is_gone_is_told(library: Path, tmp_path: Path, xnnpack: bool) -> None:
    traced = Traced(library, tmp_path / "log", xnnpack=xnnpack)
    traced(image())
    traced.trace = None
    assert traced.lines() == calls(1, OURS)
    with pytest.raises(RuntimeError, match="the tracing delegate was destroyed before the interpreter ran"):
        traced(image())
    # Another one may begin anew with an interpreter of its own.
    again = Traced(library, tmp_path / "again", xnnpack=xnnpack)
    np.testing.assert_array_equal(again(image()), EXPECTED(image()))
    assert again.lines() == calls(1, OURS)


def test_one_trace_of_two_interpreters(library: Path, tmp_path: Path) -> None:
    """Both write into the one file, the second as a further subgraph; neither takes the other's nodes."""
    first = Traced(library, tmp_path / "log")
    second = Traced(library, tmp_path / "unused")
    assert first.trace is not None
    other = Interpreter(
        model_content=MODEL,
        experimental_delegates=[second.computing, first.trace],
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    other.allocate_tensors()
    runs: list[Callable[[], object]] = [lambda: first(image()), other.invoke, lambda: first(image())]
    for run in runs:
        run()
    first(image(2))  # a last inference of the first, which writes all
    assert first.lines() == [
        ("0", *OURS),
        ("0", "1:0,1,2,3", "mobile_bnn"),
        ("1", *OURS),
        ("2", *OURS),
    ]
