"""The metadata record: what goes into a file comes out of it, and the file computes as before."""

import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from pydantic import ValidationError

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.engines import ENGINES
from mobile_bnn.records import Pair
from mobile_bnn.runtime import (
    Accuracy,
    ModelMetadata,
    Normalization,
    Reference,
    TaskSpec,
    constant,
    operator_name,
    pack,
    read_metadata,
    read_model,
    with_metadata,
)

FOREIGN = ModelMetadata(
    input_shape=(8, 8, 32), normalization=Normalization(mean=[0.0], std=[1.0]), binary_macs=5, float_macs=6
)
FULL = ModelMetadata(
    zoo_model="binary_lenet",
    method="bnn",
    dataset="digits",
    labels=["zero", "eins", "два"],
    input_shape=(8, 8, 1),
    normalization=Normalization(mean=[127.5], std=[127.5]),
    binary_macs=1,
    float_macs=2,
    accuracy=Accuracy(
        dataset="digits",
        split="test",
        samples=360,
        headline="top-1",
        metrics={"top-1": Pair(keras=0.98, tflite=0.97)},
    ),
    task=TaskSpec(name="detection", options={"strides": [8, 16], "score": 0.5}),
    versions={"larq": "0.14.0"},
    reference=Reference.of([bytes(range(8)), b"\xff\x00"], samples=2),
)


def entries(flatbuffer: bytes) -> list[bytes]:
    return [entry.name for entry in read_model(flatbuffer).metadata]


@pytest.mark.parametrize("metadata", [FOREIGN, FULL])
def test_the_record_comes_back_from_bytes_path_and_model(
    binary_tflite: Path, tmp_path: Path, metadata: ModelMetadata
) -> None:
    flatbuffer = with_metadata(binary_tflite.read_bytes(), metadata)
    path = tmp_path / "model.tflite"
    path.write_bytes(flatbuffer)
    assert read_metadata(flatbuffer) == read_metadata(path) == read_metadata(read_model(path)) == metadata


@pytest.mark.parametrize(
    ("version", "accuracy"),
    [
        (1, {"dataset": "digits", "split": "test", "samples": 360, "keras_top1": 0.98, "tflite_top1": 0.97}),
        (2, FULL.model_dump()["accuracy"]),
    ],
)
def test_records_of_older_versions_are_read(binary_tflite: Path, version: int, accuracy: object) -> None:
    fields = {**FULL.model_dump(exclude={"reference"}), "schema_version": version, "accuracy": accuracy}
    found = read_metadata(with_content(binary_tflite, json.dumps(fields).encode()))
    assert found == FULL.model_copy(update={"reference": None})


def test_a_file_without_a_record_has_none(binary_tflite: Path) -> None:
    assert read_metadata(binary_tflite) is None


def test_a_new_record_replaces_the_old_one_and_nothing_else(binary_tflite: Path) -> None:
    once = with_metadata(binary_tflite.read_bytes(), FULL)
    twice = with_metadata(once, FOREIGN)
    assert read_metadata(twice) == FOREIGN
    assert entries(twice) == entries(once) == [b"min_runtime_version", b"mobile_bnn"]
    assert b"binary_lenet" not in twice
    runtime_version = [bytes(model.buffers[model.metadata[0].buffer].data) for model in map(read_model, (once, twice))]
    assert runtime_version[0] == runtime_version[1] != b""


def test_the_file_computes_as_before(binary_tflite: Path) -> None:
    image = np.random.default_rng(1).standard_normal((1, 8, 8, 32), np.float32)
    create = ENGINES["lce"].import_library().LiteInterpreter
    before, after = (
        create(flatbuffer, 1, False, False, False).predict([image])[0].tobytes()
        for flatbuffer in (binary_tflite.read_bytes(), with_metadata(binary_tflite.read_bytes(), FULL))
    )
    assert before == after


def test_an_entry_that_shares_its_buffer_with_a_weight_does_not_overwrite_it(binary_tflite: Path) -> None:
    model = read_model(binary_tflite)
    graph = model.subgraphs[0]
    filters = graph.tensors[graph.operators[1].inputs[1]]
    model.metadata.append(schema.MetadataT(name="mobile_bnn", buffer=filters.buffer))
    weights = bytes(model.buffers[filters.buffer].data)
    flatbuffer = with_metadata(pack(model), FULL)
    changed = read_model(flatbuffer)
    assert operator_name(changed, changed.subgraphs[0].operators[1]) == "LceBconv2d"
    data = constant(changed, changed.subgraphs[0].tensors[graph.operators[1].inputs[1]])
    assert data is not None
    assert bytes(data) == weights
    assert read_metadata(flatbuffer) == FULL


def with_content(path: Path, content: bytes) -> bytes:
    model = read_model(path)
    model.metadata.append(schema.MetadataT(name="mobile_bnn", buffer=len(model.buffers)))
    model.buffers.append(schema.BufferT(data=np.frombuffer(content, np.uint8)))
    return pack(model)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is not a model metadata file: "),
        (b"", "is not a model metadata file: "),
        (b"[1]", "is not a model metadata file: the whole: "),
        (b"[" * 100_000, "is not a model metadata file: "),
        (json.dumps({**FULL.model_dump(), "extra": 1}).encode(), "is not a model metadata file: extra: "),
        (json.dumps({**FULL.model_dump(), "input_shape": []}).encode(), "input_shape: Tuple should have at least 1"),
        (
            json.dumps({**FULL.model_dump(), "schema_version": 4}).encode(),
            "of version 4: this mobile_bnn reads versions 1 to 3. Install the mobile_bnn that wrote it",
        ),
        *(
            (json.dumps({**FULL.model_dump(), "reference": reference}).encode(), message)
            for reference, message in [
                ({"samples": 1, "outputs": ["AAA"]}, "an output is not base64: "),
                ({"samples": 1, "outputs": ["AA\nA="]}, "an output is not base64: "),
                ({"samples": 1, "outputs": ["ÄAA="]}, "an output is not base64: "),
                ({"samples": 1, "outputs": ["AAB="]}, "an output is not base64 as it is written"),
                ({"samples": 1, "outputs": ["AAAA="]}, "an output is not base64"),
                ({"samples": 2, "outputs": ["AAAA"]}, "outputs of 3 bytes are not those of 2 samples"),
                ({"samples": 2, "outputs": ["AAA=", ""]}, "outputs of 2, 0 bytes are not those of 2 samples"),
                ({"samples": 1, "outputs": ["A" * 87_384]}, "outputs have 65538 bytes, more than 65536"),
                (
                    {"samples": 2**31, "outputs": ["AAA="]},
                    "samples: Input should be less than or equal to 16",
                ),
                ({"samples": 0, "outputs": ["AAA="]}, "samples: Input should be greater than or equal to 1"),
                ({"samples": 1, "outputs": []}, "reference.outputs: List should have at least 1 item"),
                ({"samples": 1}, "reference.outputs: Field required"),
                ({"samples": 1, "outputs": ["AAA="], "seed": 1}, "reference.seed: Extra inputs"),
            ]
        ),
    ],
)
def test_a_bad_record_is_one_clear_line(binary_tflite: Path, content: bytes, message: str) -> None:
    with pytest.raises(MobileBnnError) as caught:
        read_metadata(with_content(binary_tflite, content))
    assert str(caught.value).startswith("the mobile_bnn entry of the .tflite file is")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([1.0], [1.0, 2.0], "one number for each channel"),
        ([], [], "one number for each channel"),
        ([0.0], [0.0], "std must be above 0"),
        ([float("nan")], [1.0], "must be finite"),
    ],
)
def test_a_normalization_that_cannot_be_applied_is_refused(mean: list[float], std: list[float], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Normalization(mean=mean, std=std)
