"""Whatever options or file say, the delegate answers with an error that names the cause, and lives on."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate, load_delegate
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_bconv import BconvCase
from single_operator import TensorSpec, chain, create_interpreter, flexbuffer_map, run_delegate, single_operator

from tests.support.native_builds import known_isas

POOL = {"padding": 0, "filter_height": 2, "filter_width": 2, "stride_height": 2, "stride_width": 2}
Refuses = Callable[[bytes, np.ndarray, str], None]


@pytest.fixture
def refuses(delegate: Delegate, capfd: pytest.CaptureFixture[str]) -> Iterator[Refuses]:
    """refuses(model, input, message): the runtime raises and the message is in what it says."""
    case = BconvCase(0)

    def check(model: bytes, x: np.ndarray, message: str) -> None:
        capfd.readouterr()
        with pytest.raises((RuntimeError, ValueError)) as error:
            run_delegate(model, delegate, x)
        # Errors while the delegate is applied are logged, those of a later resize are in the exception.
        assert message in str(error.value) + capfd.readouterr().err

    yield check
    # Alive: the same delegate still computes.
    np.testing.assert_array_equal(run_delegate(case.model(), delegate, case.input), case.expected())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"isa": "mmx"}, 'option isa: unknown value "mmx", known are '),
        ({"threads": "2"}, 'unknown option "threads", known are isa, num_threads, profile, trace'),
        ({"profile": "/no/such/folder/times"}, "option profile: cannot write /no/such/folder/times: No such file"),
        ({"num_threads": "0"}, 'option num_threads: "0" is no number from 1 to 256'),
        ({"num_threads": "2x"}, 'option num_threads: "2x" is no number'),
        ({"num_threads": ""}, 'option num_threads: "" is no number'),
        ({"num_threads": "99999999999999999999"}, "is no number from 1 to 256"),
    ],
)
def test_wrong_delegate_options(library: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        load_delegate(str(library), options)


def test_instruction_sets_that_this_cpu_lacks(library: Path, isas: list[str]) -> None:
    for isa in set(known_isas(library)) - set(isas):
        with pytest.raises(ValueError, match=f"option isa: this CPU has no {isa}"):
            load_delegate(str(library), {"isa": isa})


@pytest.mark.parametrize("key", sorted(BconvCase(0).options()))
def test_a_bconv_option_that_is_missing_or_no_integer(key: str, refuses: Refuses) -> None:
    case = BconvCase(0)
    options = case.options()
    without = {k: v for k, v in options.items() if k != key}
    spec = case.inputs(), case.output_spec()
    refuses(single_operator("LceBconv2d", *spec, without), case.input, f"option {key} is missing")
    refuses(single_operator("LceBconv2d", *spec, {**options, key: 1.5}), case.input, f"{key} is not an integer")
    refuses(single_operator("LceBconv2d", *spec, {**options, key: "1"}), case.input, f"{key} is not an integer")
    refuses(single_operator("LceBconv2d", *spec, {**options, key: -1}), case.input, f"option {key} is -1")
    refuses(single_operator("LceBconv2d", *spec, {**options, key: 2**62}), case.input, f"option {key} is {2**62}")


@pytest.mark.parametrize("key", sorted(POOL))
def test_a_pool_option_that_is_missing_or_absurd(key: str, refuses: Refuses) -> None:
    x = np.zeros((1, 4, 4, 1), np.int32)
    spec = [TensorSpec(x.shape, np.int32)], TensorSpec((1, 2, 2, 1), np.int32)
    without = {k: v for k, v in POOL.items() if k != key}
    refuses(single_operator("LceBMaxPool2d", *spec, without), x, f"option {key} is missing")
    refuses(single_operator("LceBMaxPool2d", *spec, {**POOL, key: -5}), x, f"option {key} is -5")


def test_windows_that_do_not_fit(refuses: Refuses) -> None:
    x = np.zeros((1, 4, 4, 1), np.int32)
    spec = [TensorSpec(x.shape, np.int32)], TensorSpec((1, 1, 1, 1), np.int32)
    options = {**POOL, "padding": 1, "filter_width": 2**31 - 1}
    refuses(single_operator("LceBMaxPool2d", *spec, options), x, "the window is larger than the input")
    case = BconvCase(0, padding="valid")
    changed = {"dilation_height_factor": 2**31 - 1}
    refuses(case.model(**changed), case.input, "the filter is larger than the input")


def test_huge_strides_and_dilations_are_exact(delegates: dict[str, Delegate]) -> None:
    case = BconvCase(1, stride=(2**31 - 1, 2**31 - 1), dilation=(2**30, 2**30))
    for delegate in delegates.values():
        np.testing.assert_array_equal(run_delegate(case.model(), delegate, case.input), case.expected())


@pytest.mark.parametrize("options", [b"", b"\0", b"\0\0\0", b"\1\4\1", b"\xff" * 40, flexbuffer_map({})[:2]])
def test_options_that_are_no_map(options: bytes, refuses: Refuses) -> None:
    case = BconvCase(0)
    model = single_operator("LceBconv2d", case.inputs(), case.output_spec(), options)
    refuses(model, case.input, "the options are no flexbuffer map")


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_damaged_options_never_crash(data: st.DataObject, delegate: Delegate) -> None:
    case = BconvCase(0, size=(3, 3))
    options = bytearray(flexbuffer_map(case.options()))
    for _ in range(data.draw(st.integers(1, 4))):
        options[data.draw(st.integers(0, len(options) - 1))] = data.draw(st.integers(0, 255))
    options = options[data.draw(st.integers(0, 3)) :]
    model = single_operator("LceBconv2d", case.inputs(), case.output_spec(), bytes(options))
    with suppress(RuntimeError, ValueError):
        run_delegate(model, delegate, case.input)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (1, "the input or the filter is missing"),
        (2, "post_activation_multiplier is missing"),
        (3, "post_activation_bias is missing"),
    ],
)
def test_missing_inputs(number: int, message: str, refuses: Refuses) -> None:
    case = BconvCase(0)
    inputs = case.inputs()
    inputs[number] = None
    refuses(single_operator("LceBconv2d", inputs, case.output_spec(), case.options()), case.input, message)


def test_missing_threshold_and_too_few_inputs(refuses: Refuses) -> None:
    case = BconvCase(0, output="bits")
    inputs = [*case.inputs()[:4], None]
    model = single_operator("LceBconv2d", inputs, case.output_spec(), case.options())
    refuses(model, case.input, "output_threshold is missing")
    model = single_operator("LceBconv2d", inputs[:2], case.output_spec(), case.options())
    refuses(model, case.input, "needs 5 inputs, has 2")
    model = single_operator("LceBconv2d", [*inputs, None], case.output_spec(), case.options())
    refuses(model, case.input, "has 6 inputs")


def replaced(case: BconvCase, number: int, spec: TensorSpec) -> bytes:
    inputs = case.inputs()
    inputs[number] = spec
    return single_operator("LceBconv2d", inputs, case.output_spec(), case.options())


def test_filters_that_do_not_fit(refuses: Refuses) -> None:
    case = BconvCase(0, channels=96)

    def words(*shape: int) -> TensorSpec:
        return TensorSpec.constant(np.zeros(shape, np.int32))

    refuses(replaced(case, 1, words(32, 3, 3, 2)), case.input, "3 input words cannot be split into filters of 2")
    refuses(replaced(case, 1, words(32, 3, 3)), case.input, "must have 4 dimensions")
    refuses(replaced(case, 1, words(31, 3, 3, 1)), case.input, "3 groups do not divide 96 input and 31 output")
    refuses(replaced(case, 1, words(16, 3, 3, 3)), case.input, "post_activation_multiplier must have shape [16]")
    floats = TensorSpec.constant(np.zeros((32, 3, 3, 3), np.float32))
    refuses(replaced(case, 1, floats), case.input, "input and filter must be int32")
    refuses(case.model(channels_in=64), case.input, "not those of 64 channels")
    refuses(case.model(channels_in=97), case.input, "not those of 97 channels")
    double = TensorSpec.constant(case.multiplier.astype(np.int32))
    refuses(replaced(case, 2, double), case.input, "post_activation_multiplier has the wrong type")


def test_a_filter_whose_shape_lies(refuses: Refuses) -> None:
    case = BconvCase(0)
    short = TensorSpec((32, 3, 3, 1), np.int32, np.zeros(5, np.int32))
    refuses(replaced(case, 1, short), case.input, "")  # LiteRT itself refuses such a file
    endless = TensorSpec((32, 2**30, 2**30, 1), np.int32, np.zeros(5, np.int32))
    refuses(replaced(case, 1, endless), case.input, "")


def test_wrong_types_and_scales(refuses: Refuses) -> None:
    floats, words = TensorSpec((1, 32)), TensorSpec((1, 1), np.int32)
    x, packed = np.zeros((1, 32), np.float32), np.zeros((1, 1), np.int32)
    more_words = TensorSpec((1, 1), np.int32)
    refuses(single_operator("LceQuantize", [words], more_words), packed, "the input must be float32, int8 or bool")
    refuses(single_operator("LceQuantize", [floats], TensorSpec((1, 1))), x, "the output must be int32")
    refuses(single_operator("LceQuantize", [floats, floats], words), x, "needs one input")
    refuses(single_operator("LceDequantize", [floats], TensorSpec((1, 32))), x, "the input must be int32")
    refuses(single_operator("LceDequantize", [words], TensorSpec((1, 33))), packed, "do not fit the input's words")
    no_scale = TensorSpec((1, 32), np.int8)
    refuses(single_operator("LceDequantize", [words], no_scale), packed, "scale is not a positive number")
    far = TensorSpec((1, 32), np.int8, scale=1.0, zero_point=200)
    refuses(single_operator("LceDequantize", [words], far), packed, "zero point 200")
    case = BconvCase(0, output="int8")
    case.scale = float("nan")
    refuses(case.model(), case.input, "scale is not a positive number")


def test_a_tensor_that_two_operators_write(refuses: Refuses) -> None:
    floats, words = TensorSpec((1, 32)), TensorSpec((1, 1), np.int32)
    model = chain([("LceQuantize", [floats], words, b""), ("LceQuantize", [floats], words, b"")])
    refuses(model, np.zeros((1, 32), np.float32), "is in use already")


def test_an_operator_that_reads_what_it_writes(delegate: Delegate) -> None:
    words = TensorSpec((1, 4, 4, 1), np.int32)
    with pytest.raises(RuntimeError, match="LceBMaxPool2d"):  # LiteRT finds no order for it
        create_interpreter(single_operator("LceBMaxPool2d", [words], words, POOL), delegate).allocate_tensors()


def test_a_constant_is_not_written(refuses: Refuses) -> None:
    x = np.zeros((1, 32), np.float32)
    words = TensorSpec((1, 1), np.int32, np.zeros((1, 1), np.int32))
    refuses(single_operator("LceQuantize", [TensorSpec(x.shape)], words), x, "is a constant")


def test_tensors_with_too_many_or_no_elements(refuses: Refuses) -> None:
    x = np.zeros((1, 32), np.float32)
    model = single_operator("LceQuantize", [TensorSpec(x.shape)], TensorSpec((1, 1), np.int32))
    refuses(model, np.zeros((0, 32), np.float32), "dimension 0 of tensor 0 is 0")
    refuses(model, np.zeros((1,) * 9 + (32,), np.float32), "tensor 0 has 10 dimensions, allowed are 1 to 8")
    # 4 million pixels times a million taps: the table of pointers would take 2^45 bytes.
    case = BconvCase(0, size=(2000, 2000), filter_size=(1, 1))
    case.filter = np.zeros((1, 1000, 1000, 32), bool)
    case.multiplier = case.bias = np.zeros(1, np.float32)
    refuses(case.model(), case.input, "out of memory")


def test_a_fused_operand_that_does_not_fit(refuses: Refuses) -> None:
    case = BconvCase(0, padding="valid")
    image, *rest = case.inputs()
    # The convolution makes 3x3 pixels whatever the file says.
    lie, shortcut, total = (TensorSpec((1, 5, 5, 32)) for _ in range(3))
    operators = [
        ("LceDequantize", [image], shortcut, b""),
        ("LceBconv2d", [image, *rest], lie, case.options()),
        ("ADD", [lie, shortcut], total, {"activation": 0}),
    ]
    refuses(chain(operators), case.input, "does not fit that of tensor")
