"""What files compute on the same inputs, in the session that times them."""

import base64
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling import Job, jobs_for, profile
from mobile_bnn.profiling.engines import ENGINES
from mobile_bnn.profiling.parity import compare, decoded, given_samples, outputs_of, random_samples
from mobile_bnn.profiling.parity_plan import ends
from mobile_bnn.runtime import Interpreter, pack, read_model


def test_a_binary_file_computes_what_its_float_file_does(binary_tflite: Path, float_tflite: Path) -> None:
    jobs = [*jobs_for(binary_tflite, ["delegate", "lce"]), *jobs_for(float_tflite, ["litert"])]
    result = profile(jobs, runs=3, threads=[1], references=[(binary_tflite, float_tflite)])
    *binary, reference = result.measurements
    assert reference.parity is None
    for each in binary:
        assert each.parity is not None
        assert (each.parity.reference, each.parity.inputs) == (str(float_tflite), "random")
        assert each.parity.samples == 32
        assert each.parity.largest_difference < 1e-4
        assert each.parity.top1_agreement == 1.0


def test_the_reference_need_not_be_measured(binary_tflite: Path, float_tflite: Path) -> None:
    (only,) = profile(
        jobs_for(binary_tflite, ["delegate"]), runs=3, threads=[1], references=[(binary_tflite, float_tflite)]
    ).measurements
    assert only.parity is not None
    assert only.parity.largest_difference < 1e-4


def test_a_fast_file_that_is_wrong_is_seen(binary_tflite: Path, float_tflite: Path, tmp_path: Path) -> None:
    model = read_model(binary_tflite)
    graph = model.subgraphs[0]
    for tensor in graph.tensors:
        data = model.buffers[tensor.buffer].data
        if data is not None and tensor.type == 0 and list(tensor.shape) == [10, 32]:
            values = np.asarray(data, np.uint8).view(np.float32)
            model.buffers[tensor.buffer].data = np.roll(values, 32).view(np.uint8)  # each class takes another's scores
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(pack(model))
    job = Job("delegate", "auto", wrong)
    (only,) = profile([job], runs=3, threads=[1], references=[(wrong, float_tflite)]).measurements
    assert only.parity is not None
    assert only.parity.largest_difference > 0.01
    assert only.parity.top1_agreement < 1.0


def test_given_samples_are_what_is_compared(binary_tflite: Path, float_tflite: Path) -> None:
    shape = ends(float_tflite).inputs[0].shape  # type: ignore[union-attr]
    samples = np.random.default_rng(3).normal(size=(5, *shape[1:])).astype(np.float32)
    (only,) = profile(
        jobs_for(binary_tflite, ["delegate"]),
        runs=3,
        threads=[1],
        references=[(binary_tflite, float_tflite)],
        samples=[samples],
    ).measurements
    assert only.parity is not None
    assert (only.parity.samples, only.parity.inputs) == (5, "given samples")
    with pytest.raises(MobileBnnError, match=r"the samples are float32 \[5, 3\]: the model takes float32 \[N, "):
        profile(
            jobs_for(binary_tflite, ["delegate"]),
            runs=3,
            threads=[1],
            references=[(binary_tflite, float_tflite)],
            samples=[samples.reshape(5, -1)[:, :3]],
        )


def test_outputs_travel_bit_by_bit(float_tflite: Path) -> None:
    model = ends(float_tflite)
    assert model is not None
    content = random_samples(model, 4)
    session = ENGINES["litert"].load(float_tflite.read_bytes(), "xnnpack", 1)
    (outputs,) = decoded(outputs_of(session, content, 4), model, 4)
    batch = np.frombuffer(content, np.float32).reshape(4, *model.inputs[0].shape[1:])
    expected = np.stack([Interpreter(float_tflite).predict(image[None]) for image in batch])
    assert np.array_equal(outputs, expected)
    with pytest.raises(MobileBnnError, match="bytes of inputs are not 5 samples of"):
        outputs_of(session, content, 5)
    assert given_samples(model, [batch], 2) == batch[:2].tobytes()


def test_a_target_that_sends_something_else(float_tflite: Path) -> None:
    model = ends(float_tflite)
    assert model is not None
    assert decoded([], model, 1) == []
    assert decoded([base64.b64encode(b"123").decode()], model, 1) == []
    with pytest.raises(MobileBnnError, match="the target sent outputs that cannot be read"):
        decoded(["*"], model, 1)


def test_pixels_are_compared_by_their_largest_class() -> None:
    reference = np.zeros((2, 1, 4, 4, 3), np.float32)
    reference[..., 1] = 1
    found = reference.copy()
    found[0, 0, 0, 0] = (2, 1, 0)
    parity = compare([found], [reference], file=Path("f"), inputs="random")
    assert parity is not None
    assert parity.largest_difference == 2.0
    assert parity.top1_agreement == pytest.approx(31 / 32)
    assert compare([found], [reference[..., :2]], file=Path("f"), inputs="random") is None
    assert compare([found.astype(np.int8)], [reference], file=Path("f"), inputs="random") is None
