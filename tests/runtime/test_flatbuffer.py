"""The .tflite reader against files that nobody would send in good faith, and the writer against two interpreters."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import Builder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litert_runs import run

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profiling.engines import ENGINES
from mobile_bnn.runtime import pack, read_metadata, read_model

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no \.tflite file .*none\.tflite"):
        read_model(tmp_path / "none.tflite")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty. Make the file anew"),
        (b"PK\x03\x04 a zip file", "is not a .tflite file: it does not carry the identifier TFL3"),
        (b"\xff\xff\xff\x7fTFL3", "is truncated or malformed: "),
    ],
)
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    with pytest.raises(MobileBnnError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path} {message}")
    assert "\n" not in str(caught.value)


def complaint(flatbuffer: bytes) -> str:
    """What the readers say against a file, or nothing if they can read it; any other exception passes through."""
    try:
        read_metadata(read_model(flatbuffer))
    except MobileBnnError as error:
        return str(error)
    return ""


def test_a_file_cut_in_half_is_malformed(binary_tflite: Path, float_tflite: Path) -> None:
    for path in (binary_tflite, float_tflite):
        flatbuffer = path.read_bytes()
        assert "is truncated or malformed" in complaint(flatbuffer[: len(flatbuffer) // 2])
        assert complaint(flatbuffer) == ""


@many
@given(data=st.data())
def test_a_truncated_file_never_crashes_the_reader(binary_tflite: Path, data: st.DataObject) -> None:
    flatbuffer = binary_tflite.read_bytes()
    length = data.draw(st.integers(0, len(flatbuffer) - 1))
    assert "\n" not in complaint(flatbuffer[:length])


@many
@given(data=st.data())
def test_flipped_bytes_never_crash_the_reader(binary_tflite: Path, data: st.DataObject) -> None:
    flatbuffer = bytearray(binary_tflite.read_bytes())
    # The tables lie after the first few and before the last few kilobytes: aim at them, not at the constants.
    places = st.one_of(st.integers(0, 511), st.integers(len(flatbuffer) - 3000, len(flatbuffer) - 1))
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        flatbuffer[place] = value
    assert "\n" not in complaint(bytes(flatbuffer))


def broken(path: Path, **changes: dict[str, object]) -> bytes:
    """The model at `path` with one thing in it changed: `operator`, `tensor`, `subgraph`, `entry`, `buffer`."""
    model = read_model(path)
    graph = model.subgraphs[0]
    places = {
        "operator": graph.operators[0],
        "tensor": graph.tensors[0],
        "subgraph": graph,
        "entry": model.metadata[0],
        "buffer": model.buffers[1],
    }
    for place, fields in changes.items():
        for name, value in fields.items():
            setattr(places[place], name, value)
    return pack(model)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"operator": {"inputs": [99]}}, "operator input 99 is out of range: there are"),
        ({"operator": {"inputs": [-2]}}, "operator input -2 is out of range"),
        ({"operator": {"outputs": [-1]}}, "operator output -1 is out of range"),
        ({"operator": {"opcodeIndex": 50}}, "operator code 50 is out of range"),
        ({"tensor": {"buffer": 77}}, "buffer 77 is out of range"),
        ({"tensor": {"shape": [1, -4]}}, r"a tensor's shape is \[1, -4\]"),
        ({"subgraph": {"inputs": [88]}}, "input tensor 88 is out of range"),
        ({"subgraph": {"outputs": [88]}}, "output tensor 88 is out of range"),
        ({"entry": {"buffer": 66}}, "metadata buffer 66 is out of range"),
        ({"buffer": {"offset": 2**40, "size": 8}}, "a constant of 8 bytes at 1099511627776 ends after the file"),
        ({"operator": {"largeCustomOptionsOffset": 4096}}, "keeps options of operators after the flatbuffer"),
    ],
)
def test_what_points_outside_is_refused(
    binary_tflite: Path, changes: dict[str, dict[str, object]], message: str
) -> None:
    with pytest.raises(MobileBnnError, match=message):
        read_model(broken(binary_tflite, **changes))


def test_constants_behind_the_flatbuffer(float_tflite: Path) -> None:
    """As in files over 2 GB, and in all that ai-edge-quantizer writes."""
    model = read_model(float_tflite)
    sizes = [0 if buffer.data is None else len(buffer.data) for buffer in model.buffers]
    number = int(np.argmax(sizes))
    constant = model.buffers[number].data.tobytes()
    model.buffers[number].data = None
    model.buffers[number].offset, model.buffers[number].size = 2, len(constant)  # present, so that it can be changed
    place = len(pack(model))
    model.buffers[number].offset = place
    flatbuffer = pack(model) + constant
    assert read_model(flatbuffer).buffers[number].data.tobytes() == constant
    written = pack(read_model(flatbuffer))
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 32)).astype(np.float32)
    np.testing.assert_array_equal(run(written, x), run(float_tflite.read_bytes(), x))
    assert "is truncated or malformed" in complaint(flatbuffer[:-1])


def test_a_file_over_2_gb(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    with path.open("wb") as file:
        file.truncate(2**31)  # a hole, no bytes on disk
    with pytest.raises(MobileBnnError, match=r"is over 2 GB: a \.tflite of that size cannot be written again"):
        read_model(path)


def rewired(path: Path, number: int, **changes: tuple[int, str]) -> bytes:
    """The model at `path` with operator `number` changed; `inputs` and `outputs` may name tensors of another's."""
    model = read_model(path)
    operators = model.subgraphs[0].operators
    for name, (other, of) in changes.items():
        setattr(operators[number], name, list(getattr(operators[other], of)))
    return pack(model)


def test_a_tensor_has_one_source_before_its_readers(binary_tflite: Path) -> None:
    with pytest.raises(MobileBnnError, match=r"writes tensor \d+, which has its content already"):
        read_model(rewired(binary_tflite, 2, outputs=(0, "outputs")))  # as the first operator does
    with pytest.raises(MobileBnnError, match=r"writes tensor \d+, which has its content already"):
        read_model(rewired(binary_tflite, 2, outputs=(0, "inputs")))  # the model's input
    with pytest.raises(MobileBnnError, match=r"reads tensor \d+ before another writes it"):
        read_model(rewired(binary_tflite, 0, inputs=(2, "outputs")))
    model = read_model(binary_tflite)
    operators = model.subgraphs[0].operators
    operators[0].outputs = [operators[1].inputs[1]]  # a filter
    with pytest.raises(MobileBnnError, match=r"writes tensor \d+, which has its content already"):
        read_model(pack(model))


def test_a_model_without_subgraphs_is_refused() -> None:
    builder = Builder()
    builder.Finish(schema.ModelT(version=3).Pack(builder), b"TFL3")
    with pytest.raises(MobileBnnError, match="it holds no subgraph"):
        read_model(bytes(builder.Output()))


def test_a_file_that_unfolds_without_end_is_refused_at_once() -> None:
    """Four hundred subgraphs that are one and the same, with four hundred tensors that are one and the same."""
    builder = Builder()
    tensor = schema.TensorT(name="t").Pack(builder)
    schema.SubGraphStartTensorsVector(builder, 400)
    for _ in range(400):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, 400)
    for _ in range(400):
        builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    with pytest.raises(MobileBnnError, match="it promises more tensors and operators than fit into its length"):
        read_model(bytes(builder.Output()))


@pytest.mark.parametrize("fixture", ["binary_tflite", "float_tflite"])
def test_packed_buffers_are_aligned(fixture: str, request: pytest.FixtureRequest) -> None:
    packed = pack(read_model(request.getfixturevalue(fixture)))
    start = np.frombuffer(packed, np.uint8).__array_interface__["data"][0]
    buffers = [buffer.data for buffer in read_model(packed).buffers if buffer.data is not None]
    assert len(buffers) > 3
    assert {(data.__array_interface__["data"][0] - start) % 16 for data in buffers} == {0}


def test_a_buffer_given_as_a_list_is_aligned_too(float_tflite: Path) -> None:
    model = read_model(float_tflite)
    constant = next(buffer for buffer in model.buffers if buffer.data is not None and len(buffer.data) > 1000)
    content = bytes(constant.data)
    constant.data = list(content)
    assert pack(model).index(content) % 16 == 0


def test_equal_vectors_are_written_once(binary_tflite: Path) -> None:
    model = read_model(binary_tflite)
    tensors, length = model.subgraphs[0].tensors, len(pack(model))
    shapes = [tensor.shape for tensor in tensors]
    for tensor in tensors:
        tensor.shapeSignature = [7] * 50
    packed = pack(model)
    assert len(tensors) > 8
    assert len(packed) - length < 2 * 4 * 50
    written = read_model(packed).subgraphs[0].tensors
    assert [tensor.shape for tensor in written] == shapes
    assert all(list(tensor.shapeSignature) == [7] * 50 for tensor in written)


def test_vectors_of_tables_are_not_taken_for_equal_ones() -> None:
    # Two subgraphs that are equal but for a letter are as far from their tensors as each other.
    model = schema.ModelT()
    model.buffers, model.operatorCodes, model.metadata = [schema.BufferT()], [], []
    model.subgraphs = [schema.SubGraphT() for _ in "ab"]
    for graph, letter in zip(model.subgraphs, "ab", strict=True):
        graph.tensors, graph.operators = [schema.TensorT()], []
        graph.tensors[0].name, graph.tensors[0].shape = letter, [3]
        graph.inputs = graph.outputs = [0]
    written = read_model(pack(model))
    assert [graph.tensors[0].name for graph in written.subgraphs] == [b"a", b"b"]


def test_litert_computes_the_same_from_a_packed_file(float_tflite: Path) -> None:
    flatbuffer = float_tflite.read_bytes()
    image = np.random.default_rng(0).standard_normal((1, 8, 8, 32), np.float32)
    outputs = []
    for content in (flatbuffer, pack(read_model(flatbuffer))):
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    assert outputs[0].tobytes() == outputs[1].tobytes()
    assert outputs[0].std() > 0


@pytest.mark.parametrize("indirect", [False, True])
def test_lce_computes_the_same_from_a_packed_file(binary_tflite: Path, indirect: bool) -> None:
    flatbuffer = binary_tflite.read_bytes()
    image = np.random.default_rng(0).standard_normal((1, 8, 8, 32), np.float32)
    create = ENGINES["lce"].import_library().LiteInterpreter
    outputs = [
        create(content, 1, False, indirect, False).predict([image])[0]
        for content in (flatbuffer, pack(read_model(flatbuffer)))
    ]
    assert outputs[0].tobytes() == outputs[1].tobytes()
    assert outputs[0].std() > 0


def test_options_of_a_newer_schema_are_not_dropped_silently(float_tflite: Path) -> None:
    model = read_model(float_tflite)
    operator = model.subgraphs[0].operators[0]
    operator.builtinOptionsType, operator.builtinOptions = 250, None
    with pytest.raises(MobileBnnError, match=r"newer than the installed schema\. pip install --upgrade ai-edge-litert"):
        pack(model)
