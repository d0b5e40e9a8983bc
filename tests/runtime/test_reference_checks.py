"""Reference outputs: what a file gives is recorded, and a file that gives something else is told from it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.runtime import (
    Interpreter,
    ModelMetadata,
    Normalization,
    Reference,
    check_reference,
    default_isa,
    graph_sha256,
    pack,
    read_metadata,
    read_model,
    with_metadata,
    with_reference,
)
from mobile_bnn.runtime.reference_inputs import reference_input
from mobile_bnn.typing import TfTensor
from tests.float_files import to_float

RECORD = ModelMetadata(
    input_shape=(8, 8, 32), normalization=Normalization(mean=[127.5], std=[64.0]), binary_macs=0, float_macs=0
)


def reference_of(flatbuffer: bytes) -> Reference | None:
    metadata = read_metadata(with_reference(flatbuffer, RECORD))
    assert metadata is not None
    return metadata.reference


def test_it_records_what_the_file_gives(binary_tflite: Path) -> None:
    flatbuffer = with_reference(binary_tflite.read_bytes(), RECORD)
    metadata = read_metadata(flatbuffer)
    assert metadata is not None
    reference = metadata.reference
    assert reference is not None
    assert metadata.model_copy(update={"reference": None}) == RECORD
    with Interpreter(binary_tflite) as interpreter:
        inputs = [reference_input(n, interpreter.input_details, RECORD.normalization)[0] for n in range(2)]
        expected = [interpreter.predict(each) for each in inputs]
    assert reference.samples == 2
    assert reference.contents() == [b"".join(np.asarray(each).tobytes() for each in expected)]
    assert expected[0].tobytes() != expected[1].tobytes()  # type: ignore[union-attr]
    assert graph_sha256(flatbuffer) == graph_sha256(binary_tflite)
    assert with_reference(flatbuffer, metadata) == flatbuffer


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("isa", ["portable", None])
def test_binary_layers_give_the_same_bits_everywhere(binary_tflite: Path, num_threads: int, isa: str | None) -> None:
    """The file up to its last binary convolution: what XNNPACK computes after that may depend on the threads."""
    model = read_model(binary_tflite)
    graph = model.subgraphs[0]
    graph.operators = graph.operators[:3]
    graph.outputs, model.signatureDefs = graph.operators[-1].outputs, []
    flatbuffer = with_reference(pack(model), RECORD)
    found = check_reference(flatbuffer, num_threads=num_threads, isa=isa or default_isa())
    assert found is not None
    assert (found.samples, found.equal, found.largest_difference, found.agreement) == (2, True, 0, 1)
    assert found.line == "every bit as recorded"


def test_a_file_without_a_reference_is_not_compared(binary_tflite: Path) -> None:
    assert check_reference(binary_tflite) is None
    assert check_reference(with_metadata(binary_tflite.read_bytes(), RECORD)) is None


def test_another_number_is_told(binary_tflite: Path, tmp_path: Path) -> None:
    reference = reference_of(binary_tflite.read_bytes())
    assert reference is not None
    values = np.frombuffer(reference.contents()[0], "<f4").reshape(2, -1).copy()
    values[1, values[1].argmax()] -= 2
    changed = RECORD.model_copy(update={"reference": Reference.of([values.tobytes()], 2)})
    (tmp_path / "m.tflite").write_bytes(with_metadata(binary_tflite.read_bytes(), changed))
    found = check_reference(tmp_path / "m.tflite")
    assert found is not None
    assert (found.equal, found.largest_difference, found.agreement) == (False, pytest.approx(2), 0.5)
    assert found.line == "not the recorded bits: they differ by up to 2, the same largest element in 50% of the outputs"
    for odd in (np.nan, np.inf):
        values[1, 0] = odd
        changed = RECORD.model_copy(update={"reference": Reference.of([values.tobytes()], 2)})
        found = check_reference(with_metadata(binary_tflite.read_bytes(), changed))
        assert found is not None
        assert found.largest_difference == np.inf


@pytest.mark.parametrize("outputs", [[bytes(40)], [bytes(80), bytes(80)], [bytes(82)]])
def test_a_reference_of_another_file_is_one_clear_line(binary_tflite: Path, outputs: list[bytes]) -> None:
    strange = RECORD.model_copy(update={"reference": Reference.of(outputs, 2)})
    with pytest.raises(MobileBnnError) as caught:
        check_reference(with_metadata(binary_tflite.read_bytes(), strange))
    assert str(caught.value).startswith("the reference outputs cannot be compared: those in the file's metadata are of")
    assert "\n" not in str(caught.value)


def test_inputs_and_outputs_are_in_the_order_of_the_graph() -> None:
    """As TFLite's C API has them; the signature may sort them in another way."""

    def function(first: TfTensor, second: TfTensor) -> list[TfTensor]:
        return [second + 1, first[:, :2] * 2]

    flatbuffer = to_float(function, (1, 3), (1, 5))
    reference = reference_of(flatbuffer)
    assert reference is not None
    with Interpreter(flatbuffer) as interpreter:
        details = interpreter.interpreter.get_input_details()
        given = [reference_input(sample, details, RECORD.normalization) for sample in range(2)]
        assert [len(each[0][0]) for each in given] == [3, 3]
        ends = interpreter.interpreter.get_output_details()
        shapes = [tuple(end["shape"]) for end in ends]
    expected = {(1, 5): [second + 1 for _, second in given], (1, 2): [first[:, :2] * 2 for first, _ in given]}
    assert reference.contents() == [b"".join(each.tobytes() for each in expected[shape]) for shape in shapes]
    found = check_reference(with_reference(flatbuffer, RECORD))
    assert found is not None
    assert found.equal


@pytest.mark.parametrize(("elements", "samples"), [(8192, 2), (8193, 1), (16384, 1), (16385, 0)])
def test_as_many_samples_as_have_room(elements: int, samples: int) -> None:
    flatbuffer = to_float(lambda x: tf.tile(x, (1, elements)) * 2, (1, 1))
    reference = reference_of(flatbuffer)
    assert (reference.samples if reference else 0) == samples
    if reference:
        assert len(reference.contents()[0]) == 4 * elements * samples


def test_no_reference_where_none_would_hold() -> None:
    flatbuffer = to_float(lambda x: x * 2, (1, None))
    assert reference_of(flatbuffer) is None, "a size that is open"
    assert reference_of(to_float(lambda x: x * 2, (None, 4))) is not None, "an open batch is one sample"
    assert reference_of(to_float(lambda x: tf.where(x > 0), (1, 4))) is None, "as many outputs as an inference finds"
    assert reference_of(to_float(lambda x: x + tf.random.uniform((1, 4)), (1, 4))) is None, "random numbers"
    tiny = RECORD.model_copy(update={"normalization": Normalization(mean=[0.0], std=[1e-60])})
    metadata = read_metadata(with_reference(to_float(lambda x: x * 2, (1, 4)), tiny))
    assert metadata is not None
    assert metadata.reference is None, "inputs that are no numbers"


def test_no_reference_for_inputs_of_other_types() -> None:
    concrete = tf.function(lambda x: x + 1).get_concrete_function(tf.TensorSpec((1, 4), tf.int32))
    assert reference_of(tf.lite.TFLiteConverter.from_concrete_functions([concrete], None).convert()) is None


def test_the_native_library_must_be_there(binary_tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["mobile_bnn.runtime"], "__path__", [str(tmp_path)])
    with pytest.raises(MobileBnnError, match="the native library of mobile_bnn is not installed"):
        with_reference(binary_tflite.read_bytes(), RECORD)
