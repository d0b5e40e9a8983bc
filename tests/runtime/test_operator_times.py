"""The times of the native library's operators: what it writes is read, what it cannot have written is refused."""

import re
from copy import deepcopy

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import read_model
from mobile_bnn.runtime.operator_times import OperatorTime, read_operator_times

LINES = [
    *("0\t0\tLceQuantize\t9000000\n", "0\t1\tLceBconv2d+ADD\t9000000\n"),
    *("1\t0\tLceQuantize\t1000000\n", "1\t1\tLceBconv2d+ADD\t3000000\n"),
    *("2\t0\tLceQuantize\t2000000\n", "2\t1\tLceBconv2d+ADD\t5000000\n"),
    *("3\t0\tLceQuantize\t1000000\n", "3\t1\tLceBconv2d+ADD\t3000000\n"),
]


def by_inference(lines):
    """Lines of the main graph, whose call is the inference, in a list for each."""
    numbers = dict.fromkeys(line.partition("\t")[0] for line in lines)
    return [[line for line in lines if line.partition("\t")[0] == number] for number in numbers]


@pytest.fixture(scope="module")
def model(binary_tflite):
    """Operators: LceQuantize, LceBconv2d, LceBconv2d, MEAN, FULLY_CONNECTED, SOFTMAX."""
    return read_model(binary_tflite)


def test_medians_and_shares_of_the_inferences_that_count(model):
    names = [model.subgraphs[0].tensors[operator.outputs[0]].name.decode() for operator in model.subgraphs[0].operators]
    assert read_operator_times(by_inference(LINES), model, skip=1) == [
        OperatorTime(operator=0, name="LceQuantize", layer=names[0], median_ms=1.0, share=0.25),
        OperatorTime(operator=1, name="LceBconv2d+ADD", layer=names[1], median_ms=3.0, share=0.75),
    ]
    assert [time.median_ms for time in read_operator_times(by_inference(LINES), model)] == [1.5, 4.0]


def test_operators_come_in_the_order_of_the_file(model):
    backwards = ["0\t2\tLceBconv2d\t1\n", "0\t1\tLceBconv2d\t1\n", "0\t0\tLceQuantize\t2\n"]
    times = read_operator_times([backwards], model)
    assert [(time.operator, time.share) for time in times] == [(0, 0.5), (1, 0.25), (2, 0.25)]


def test_a_clock_that_stood_still_is_no_division_by_zero(model):
    (time,) = read_operator_times([["0\t0\tLceQuantize\t0\n"]], model)
    assert (time.median_ms, time.share) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "it wrote none"),
        (["\n"], r"line 1: '\n' is not call, operator, name and nanoseconds"),
        (["0\t0\tLceQuantize\t5"], r"line 1: '0\t0\tLceQuantize\t5' is not"),
        (["0\t0\tLceQuantize\t-5\n"], "line 1: "),
        (["0\t0\tLceQuantize\t5\t6\n"], "line 1: "),
        (["0\t0\tLceQuantize\t1e3\n"], "line 1: "),
        (["0\t0\tLce Quantize\t5\n"], "line 1: "),
        (["٠\t0\tLceQuantize\t5\n"], "line 1: "),
        (["0\t0\tLceQuantize\t" + "9" * 5000 + "\n"], "line 1: "),
        (["0\t1:0\tLceQuantize\t5\n"], "line 1: the file has no operator 1:0 that is LceQuantize"),
        (["0\t6\tLceQuantize\t5\n"], "line 1: the file has no operator 6 that is LceQuantize"),
        (["0\t1\tLceQuantize\t5\n"], "line 1: the file has no operator 1 that is LceQuantize"),
        (["0\t1\tLceBconv2d\t5\n", "1\t1\tLceBconv2d+ADD\t5\n"], "line 2: operator 1 was LceBconv2d before, now it"),
        (["0\t0\tLceQuantize\t5\n"] * 2, "line 2: operator 0 ran twice in call 0"),
        ([*LINES, "4\t0\tLceQuantize\t5\n"], "some operators lack inferences"),
    ],
)
def test_what_the_library_cannot_have_written_is_refused(model, lines, message):
    with pytest.raises(MobileBnnError, match=re.escape(f"the native library's times cannot be read: {message}")):
        read_operator_times(by_inference(lines), model)


def test_fewer_inferences_than_are_skipped_are_refused(model):
    with pytest.raises(MobileBnnError, match="some operators lack inferences"):
        read_operator_times(by_inference(LINES[:4]), model, skip=2)


def test_an_operator_of_a_loop_has_all_its_calls(model):
    """Of a body that runs twice, three times, twice; the names are those of its own subgraph."""
    body = deepcopy(model)
    body.subgraphs.append(body.subgraphs[0])
    calls = [["0\t0\tLceQuantize\t1000000\n"], ["1\t0\tLceQuantize\t1000000\n"], ["2\t0\tLceQuantize\t1000000\n"]]
    calls[0] += ["0\t1:1\tLceBconv2d\t2000000\n", "1\t1:1\tLceBconv2d\t2000000\n"]
    calls[1] += ["2\t1:1\tLceBconv2d\t2000000\n", "3\t1:1\tLceBconv2d\t2000000\n", "4\t1:1\tLceBconv2d\t2000000\n"]
    calls[2] += ["5\t1:1\tLceBconv2d\t2000000\n", "6\t1:1\tLceBconv2d\t2000000\n"]
    main, inner = read_operator_times(calls, body)
    assert (main.subgraph, main.operator, main.calls, main.median_ms, main.share) == (0, 0, 1, 1.0, 0.2)
    assert (inner.subgraph, inner.operator, inner.calls, inner.median_ms, inner.share) == (1, 1, 2, 4.0, 0.8)


def test_a_branch_may_be_left_out(model):
    body = deepcopy(model)
    body.subgraphs.append(body.subgraphs[0])
    calls = [["0\t0\tLceQuantize\t1000000\n"], ["1\t0\tLceQuantize\t1000000\n", "0\t1:1\tLceBconv2d\t8000000\n"]]
    _, inner = read_operator_times([*calls, ["2\t0\tLceQuantize\t1000000\n"]], body)
    assert (inner.calls, inner.median_ms) == (0, 0.0)
