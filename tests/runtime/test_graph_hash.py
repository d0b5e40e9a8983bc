"""The hash by which a measurement knows its file: blind to our record, sensitive to everything that computes."""

from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.runtime import ModelMetadata, Normalization, graph_sha256, pack, read_model, with_metadata

RECORD = ModelMetadata(
    input_shape=(8, 8, 32), normalization=Normalization(mean=[0.0], std=[1.0]), binary_macs=1, float_macs=2
)


def test_our_record_is_not_hashed(binary_tflite: Path) -> None:
    content = binary_tflite.read_bytes()
    expected = graph_sha256(binary_tflite)
    with_one = with_metadata(content, RECORD)
    other = with_metadata(with_one, RECORD.model_copy(update={"labels": ["a", "b"] * 100}))
    assert len({content, with_one, other, pack(read_model(content))}) == 4
    assert {graph_sha256(each) for each in (content, with_one, other, pack(read_model(content)))} == {expected}
    assert graph_sha256(str(binary_tflite)) == graph_sha256(read_model(content)) == expected


def _one_bit(model):
    """Of the largest constant."""
    buffer = max(model.buffers, key=lambda buffer: 0 if buffer.data is None else len(buffer.data))
    data = np.array(buffer.data)
    data[len(data) // 2] ^= 1
    buffer.data = data


def _option(model):
    operator = max(
        model.subgraphs[0].operators, key=lambda one: len([] if one.customOptions is None else one.customOptions)
    )
    options = np.array(operator.customOptions)
    options[1] ^= 1
    operator.customOptions = options


def _shape(model):
    model.subgraphs[0].tensors[0].shape = [2, 8, 8, 32]


def _output(model):
    model.subgraphs[0].outputs = [model.subgraphs[0].outputs[0] - 1]


def _name(model):
    model.subgraphs[0].tensors[0].name = b"another"


def _order(model):
    model.subgraphs[0].operators[0].inputs, model.subgraphs[0].operators[0].outputs = (
        model.subgraphs[0].operators[0].outputs,
        model.subgraphs[0].operators[0].inputs,
    )


@pytest.mark.parametrize("change", [_one_bit, _option, _shape, _output, _name, _order])
def test_whatever_computes_is_hashed(binary_tflite: Path, change) -> None:
    model = read_model(binary_tflite)
    change(model)
    assert graph_sha256(model) != graph_sha256(binary_tflite)


def test_constants_belong_to_their_tensors(binary_tflite: Path) -> None:
    model = read_model(binary_tflite)
    constants = [t for t in model.subgraphs[0].tensors if model.buffers[t.buffer].data is not None]
    first, second = constants[:2]
    first.buffer, second.buffer = second.buffer, first.buffer
    assert graph_sha256(model) != graph_sha256(binary_tflite)


def test_a_record_between_other_buffers_changes_nothing(binary_tflite: Path) -> None:
    """A file that another program packed anew may have its buffers in any order."""
    model = read_model(with_metadata(binary_tflite.read_bytes(), RECORD))
    last = len(model.buffers) - 1
    model.buffers.insert(1, model.buffers.pop())
    for item in [*model.subgraphs[0].tensors, *model.metadata]:
        item.buffer = 1 if item.buffer == last else item.buffer + (item.buffer >= 1)
    assert graph_sha256(pack(model)) == graph_sha256(binary_tflite)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no \.tflite file"):
        graph_sha256(tmp_path / "none.tflite")
    with pytest.raises(MobileBnnError, match=r"is not a \.tflite file"):
        graph_sha256(b"no flatbuffer at all")
