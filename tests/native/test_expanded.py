"""LceDequantize of constants: unpacked when a file is loaded, and a constant for the runtime's own operators."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate, Interpreter
from numpy_bconv import pack
from single_operator import TensorSpec, chain, create_interpreter, invoke, invoke_outputs, operators_of, run_delegate

SIGNS = np.random.default_rng(0).choice(np.float32([-1, 1]), (3, 2, 70))
X = np.random.default_rng(1).normal(size=SIGNS.shape).astype(np.float32)


def larger_one(**unpacked: object) -> bytes:
    """max(x, signs), where the signs are packed in the file; MAXIMUM is never the delegate's."""
    signs = TensorSpec(**{"shape": SIGNS.shape, **unpacked})
    packed = TensorSpec.constant(pack(SIGNS < 0))
    return chain(
        [("LceDequantize", [packed], signs, b""), ("MAXIMUM", [TensorSpec(X.shape), signs], TensorSpec(X.shape), b"")]
    )


def with_xnnpack(model: bytes, delegate: Delegate) -> Interpreter:
    return Interpreter(model_content=model, experimental_delegates=[delegate])


def test_equals_the_signs(delegates: dict[str, Delegate]) -> None:
    for name, delegate in delegates.items():
        np.testing.assert_array_equal(run_delegate(larger_one(), delegate, X), np.maximum(X, SIGNS), err_msg=name)
        np.testing.assert_array_equal(invoke(with_xnnpack(larger_one(), delegate), X), np.maximum(X, SIGNS))


def test_nothing_is_left_to_run(library: Path, tmp_path: Path) -> None:
    assert operators_of(larger_one(), library, tmp_path, X) == []


def test_interpreters_that_share_a_delegate_share_no_memory(delegate: Delegate) -> None:
    first, second = (with_xnnpack(larger_one(), delegate) for _ in range(2))
    invoke(first, X)
    del first
    for _ in range(3):
        np.testing.assert_array_equal(invoke(second, X), np.maximum(X, SIGNS))


def test_a_resize_undoes_delegates_and_does_them_again(delegate: Delegate) -> None:
    interpreter = with_xnnpack(larger_one(), delegate)
    for batch in (1, 4, 2):
        x = np.random.default_rng(batch).normal(size=(batch, *X.shape)).astype(np.float32)
        np.testing.assert_array_equal(invoke(interpreter, x), np.maximum(x, SIGNS))


def test_an_output_of_the_model(delegate: Delegate) -> None:
    signs, x = TensorSpec(SIGNS.shape), TensorSpec(X.shape)
    packed = TensorSpec.constant(pack(SIGNS < 0))
    larger = ("MAXIMUM", [x, signs], TensorSpec(X.shape), b"")
    model = chain([("LceDequantize", [packed], signs, b""), larger], outputs=[signs])
    for create in (create_interpreter, with_xnnpack):
        first, second = invoke_outputs(create(model, delegate), X)
        np.testing.assert_array_equal(first, SIGNS)
        np.testing.assert_array_equal(second, np.maximum(X, SIGNS))


def test_signs_that_are_packed_again_need_no_constant(delegate: Delegate) -> None:
    """Only the delegate sees them."""
    signs, packed = TensorSpec(SIGNS.shape), TensorSpec.constant(pack(SIGNS < 0))
    again = TensorSpec(packed.shape, np.int32)
    x = TensorSpec(packed.shape, np.int32)
    words = np.zeros(packed.shape, np.int32)
    larger = ("MAXIMUM", [x, again], TensorSpec(packed.shape, np.int32), b"")
    model = chain([("LceDequantize", [packed], signs, b""), ("LceQuantize", [signs], again, b""), larger])
    np.testing.assert_array_equal(run_delegate(model, delegate, words), np.maximum(pack(SIGNS < 0), 0))


def test_a_shape_that_the_file_has_wrong(delegate: Delegate) -> None:
    """Its output has as many channels, but other rows: it is computed, in the shape of its input."""
    model = larger_one(shape=(1, 1, SIGNS.shape[-1]))
    np.testing.assert_array_equal(run_delegate(model, delegate, X), np.maximum(X, SIGNS))


def test_channels_that_do_not_fit(delegate: Delegate) -> None:
    interpreter_fails = pytest.raises((RuntimeError, ValueError), match="the output's channels do not fit")
    with interpreter_fails:
        run_delegate(larger_one(shape=(3, 2, 97)), delegate, X)
