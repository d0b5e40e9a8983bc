"""Files of weights that are damaged, hostile or another network's: refused in one line, and never run."""

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors_files import write_safetensors

from mobile_bnn import zoo
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.zoo.importing import keras_hdf5, published_files
from mobile_bnn.zoo.importing.checkpoints import open_checkpoint

FILES = Path(__file__).parent / "torch_files"
STORED = zipfile.ZIP_STORED


def refusal(path):
    """The one line with which a file is refused."""
    with pytest.raises(MobileBnnError) as error:
        [stored.read() for stored in open_checkpoint(path).arrays.values()]
    assert "\n" not in str(error.value)
    return str(error.value)


def write_zip(path, content, records=None, compression=STORED, prefix="archive/"):
    """A checkpoint with these bytes as its pickle."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{prefix}data.pkl", content)
        for name, data in (records or {}).items():
            archive.writestr(name, data)


def tensor_pickle(size="K\x04", shape="K\x04", offset="K\x00", stride="K\x01", key="0", storage="FloatStorage"):
    """A pickle of {"w": a tensor}, each number given as the operation that pushes it."""
    return (
        f"\x80\x02}}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n{storage}\n"
        f"X{chr(len(key))}\x00\x00\x00{key}X\x03\x00\x00\x00cpu{size}tQ{offset}{shape}\x85{stride}\x85\x89"
        "ccollections\nOrderedDict\n)RtRs."
    ).encode("latin-1")


FLOATS = {"archive/data/0": np.arange(4, dtype="<f4").tobytes()}


def test_the_pickle_of_these_tests_is_a_good_one(tmp_path):
    write_zip(tmp_path / "w.pth", tensor_pickle(), FLOATS)
    np.testing.assert_array_equal(open_checkpoint(tmp_path / "w.pth").arrays["w"].read(), [0, 1, 2, 3])


def test_big_endian_numbers(tmp_path):
    records = {"archive/data/0": np.arange(4, dtype=">f4").tobytes(), "archive/byteorder": b"big"}
    write_zip(tmp_path / "w.pth", tensor_pickle(), records)
    np.testing.assert_array_equal(open_checkpoint(tmp_path / "w.pth").arrays["w"].read(), [0, 1, 2, 3])


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(("function", "named"), [(os.system, "system"), (eval, "__builtin__.eval")])
def test_a_pickle_that_calls_something_is_not_run(tmp_path, legacy, function, named):
    class Hostile:
        def __reduce__(self):
            return function, (f"open({str(tmp_path / 'run')!r}, 'w')",)

    path = tmp_path / "w.pth"
    content = pickle.dumps({"w": Hostile()}, protocol=2)
    if legacy:
        path.write_bytes(
            pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + content
        )
    else:
        write_zip(path, content)
    message = refusal(path)
    assert f"{named}, and only tensors are read. Save its tensors alone" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tensor_pickle(shape="J\xff\xff\xff\x7f", stride="K\x00"), "is larger than its storage"),
        (tensor_pickle(shape="K\x05"), "a tensor of shape (5,) reaches beyond its storage"),
        (tensor_pickle(offset="K\x01"), "reaches beyond its storage"),
        (tensor_pickle(stride="J\xff\xff\xff\xff"), "it is not what torch.save writes"),
        (tensor_pickle(offset="J\xff\xff\xff\xff"), "it is not what torch.save writes"),
        (tensor_pickle(size="K\x08", shape="K\x08"), "what w is stored in has another size than the tensors need"),
        (tensor_pickle(size="J\xff\xff\xff\x7f"), "has another size than the tensors need"),
        (tensor_pickle(key="7"), "what w is stored in is missing"),
        (tensor_pickle(key="../0"), "what w is stored in is missing"),
        (tensor_pickle(storage="QUInt4x2Storage"), "it asks for torch.QUInt4x2Storage"),
        (tensor_pickle()[:-20], "it is not what torch.save writes"),
        (b"\x80\x02]q\x00h\x00a.", "it is not a dictionary of tensors"),
        (b"\x80\x02}" + b"(" * 100_000 + b".", "it is not what torch.save writes"),
        (b"\x80\x02}" + b")" + b"q\x00h\x00\x86" * 3 + b"K\x01s.", "it is not what torch.save writes"),
        (b"\x80\x02r\xff\xff\xff\x7f.", "it is not what torch.save writes"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "it has the pickle operation STACK_GLOBAL"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "it is not what torch.save writes"),
        (b"", "it is not what torch.save writes"),
    ],
)
def test_pickles_that_lie(tmp_path, content, message):
    write_zip(tmp_path / "w.pth", content, FLOATS)
    assert message in refusal(tmp_path / "w.pth")


def test_a_dictionary_that_holds_itself_is_refused_and_not_followed_for_ever(tmp_path):
    write_zip(tmp_path / "w.pth", b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.")
    assert "has no weights that can be read" in refusal(tmp_path / "w.pth")


def test_zips_that_are_no_checkpoints(tmp_path):
    bomb, other, both, climbing, keras = (tmp_path / f"{name}.pth" for name in "abcde")
    write_zip(bomb, tensor_pickle(), {"archive/data/0": bytes(10_000_000)}, zipfile.ZIP_DEFLATED)
    assert "its records are compressed" in refusal(bomb)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "")
    assert refusal(other) == f"{other} is a zip, but not a checkpoint of torch.save"
    write_zip(both, tensor_pickle(), {"other/data.pkl": b""})
    assert "not a checkpoint of torch.save" in refusal(both)
    write_zip(climbing, tensor_pickle(), {"archive/../../w": b"x"})
    assert "the names of its records are not torch.save's" in refusal(climbing)
    write_zip(keras, b"", {"config.json": "{}", "metadata.json": "{}"})
    assert refusal(keras) == f"{keras} is a model of Keras, not weights. mbnn convert takes it as it is"


def test_a_directory_that_calls_a_record_otherwise(tmp_path):
    path = tmp_path / "w.pth"
    write_zip(path, tensor_pickle(key="2"), FLOATS)
    content = path.read_bytes()
    directory = content.index(b"PK\x01\x02")
    path.write_bytes(content[:directory] + content[directory:].replace(b"archive/data/0", b"archive/data/2"))
    assert "is a damaged checkpoint: File name in directory" in refusal(path)


@pytest.mark.parametrize("name", ["training.pth.tar", "legacy.pth.tar", "plain.safetensors"])
def test_truncated_files(tmp_path, name):
    content = (FILES / name).read_bytes()
    for length in {*range(1, 40), *range(40, len(content) - 1, 97), len(content) - 1}:
        (tmp_path / "cut").write_bytes(content[:length])
        assert str(tmp_path / "cut") in refusal(tmp_path / "cut")


@pytest.mark.parametrize("name", ["training.pth.tar", "legacy.pth.tar", "plain.safetensors"])
def test_changed_bytes_are_read_or_refused_and_nothing_else(tmp_path_factory, name):
    original, path = (FILES / name).read_bytes(), tmp_path_factory.mktemp("mutations") / "file"
    changes = st.lists(st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255)), min_size=1, max_size=4)

    @settings(max_examples=150, deadline=None)
    @given(changes)
    def change(places):
        content = bytearray(original)
        for place, value in places:
            content[place] = value
        path.write_bytes(content)
        try:
            arrays = open_checkpoint(path).arrays
            assert sum(each.read().size for each in arrays.values()) < len(original)
        except MobileBnnError as error:
            assert "\n" not in str(error)  # noqa: PT017

    change()


@pytest.mark.parametrize(
    "operation", [b"X\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f", b"B\xff\xff\xff\x7f", b"c" + b"a" * 5000]
)
def test_a_legacy_file_is_not_read_beyond_its_end(tmp_path, monkeypatch, operation):
    """Python allocates first what a file is asked for."""
    asked = []
    opened = io.BufferedReader.read

    class Watched(io.BufferedReader):
        def read(self, size=-1):
            asked.append(size)
            return opened(self, size)

    path = tmp_path / "w.pth"
    path.write_bytes(b"\x80\x02" + operation)
    monkeypatch.setattr(Path, "open", lambda self, mode: Watched(io.FileIO(self)))
    assert "is damaged" in refusal(path) or "is unsafe" in refusal(path)
    assert asked
    assert max(asked) <= max(9, path.stat().st_size)  # 9 tell the format


def test_headers_of_safetensors_that_lie(tmp_path):
    path = tmp_path / "w.safetensors"

    def write(header, data=bytes(16)):
        path.write_bytes(struct.pack("<Q", len(header)) + header + data)

    for entry in (
        b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,999]}}',
        b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[-4,12]}}',
        b'{"w":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}',
        b'{"w":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}',
        b'{"w":{"dtype":"F8","shape":[4],"data_offsets":[0,16]}}',
        b'{"w":7}',
        b"[" * 5000,
    ):
        write(b" " * 0 + entry if entry.startswith(b"{") else b'{"w":' + entry)
        assert "is a damaged" in refusal(path)
    path.write_bytes(struct.pack("<Q", 1 << 60) + b'{"w":{}}')
    assert refusal(path) == f"{path} is a damaged .safetensors file"


def keras_file(path, layers):
    """An HDF5 file as Keras 2 writes it, of arrays by layer and weight."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, weights in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{weight}:0".encode() for weight in weights]
            for weight, array in weights.items():
                group.create_dataset(f"{name}/{weight}:0", data=array)


def test_hdf5_files_that_are_no_weights_of_keras_2(tmp_path):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.create_group("layers")
    assert refusal(path).endswith(
        "not one of Keras 2's weights. Save it with Keras 2, as Larq Zoo's are: model.save_weights('….h5')"
    )
    keras_file(path, {"dense": {"kernel": np.array([b"text"])}})
    assert "weights are floating-point numbers" in refusal(path)
    keras_file(path, {"dense": {"kernel": np.zeros((3, 4), np.float32)}})
    content = path.read_bytes()
    for length in (9, 200, 800, len(content) - 60):
        path.write_bytes(content[:length])
        assert "is a damaged HDF5 file" in refusal(path)


def test_hdf5_attributes_that_would_take_hours_are_not_read(tmp_path, monkeypatch):
    keras_file(tmp_path / "w.h5", {"dense": {"kernel": np.zeros(3, np.float32)}})
    monkeypatch.setattr(keras_hdf5, "_MAX_NAMES", 4)
    assert "is a damaged HDF5 file: its attribute layer_names is too large" in refusal(tmp_path / "w.h5")


@pytest.mark.parametrize("link", [h5py.SoftLink("/secret"), h5py.ExternalLink("secret.h5", "/kernel")])
def test_hdf5_links_are_not_followed(tmp_path, link):
    keras_file(tmp_path / "secret.h5", {})
    path = tmp_path / "w.h5"
    keras_file(path, {"dense": {"kernel": np.zeros(3, np.float32)}})
    with h5py.File(path, "a") as file:
        del file["dense/dense/kernel:0"]
        file["dense/dense/kernel:0"] = link
    assert "is missing or a link" in refusal(path)


def test_hdf5_arrays_in_other_files_are_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(12))
    path = tmp_path / "w.h5"
    keras_file(path, {"dense": {"kernel": np.zeros(3, np.float32)}})
    with h5py.File(path, "a") as file:
        del file["dense/dense/kernel:0"]
        external = [(str(tmp_path / "secret"), 0, 12)]
        file["dense"].create_dataset("dense/kernel:0", (3,), "f4", external=external)
    assert "keeps its arrays in other files" in refusal(path)


def test_other_files(tmp_path):
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "empty").write_bytes(b"")
    for name in ("image.png", "empty"):
        assert refusal(tmp_path / name).startswith(
            f"{tmp_path / name} is not a file of weights. It takes Larq Zoo's .h5"
        )
    with pytest.raises(UsageError, match="there is no file"):
        open_checkpoint(tmp_path / "missing.pth")


def test_files_for_another_network(tmp_path, monkeypatch):
    torch_file, keras = tmp_path / "w.safetensors", tmp_path / "w.h5"
    write_safetensors(torch_file, {"fc.weight": np.zeros((3, 512)), "fc.bias": np.zeros(3)})
    keras_file(keras, {"dense": {"kernel": np.zeros((512, 3), np.float32), "bias": np.zeros(3, np.float32)}})

    def message(name, path):
        with pytest.raises(MobileBnnError) as error:
            zoo.load_weights(name, path, (32, 32, 3))
        assert "\n" not in str(error.value)
        return str(error.value)

    lacks = "does not have the weights of birealnet18: it lacks "
    assert f"{lacks}conv1.weight, bn1.weight, bn1.bias and " in message("birealnet18", torch_file)
    assert f"{lacks}conv2d number 1/kernel, " in message("birealnet18", keras)
    assert "of quicknet only those of Larq Zoo for Keras are known" in message("quicknet", torch_file)
    assert "no weights of binary_net are known" in message("binary_net", keras)
    assert "Did you mean birealnet18" in message("birealnet19", keras)
    digest = published_files.sha256(keras)
    monkeypatch.setitem(published_files._WHOLE, "quicknet", digest)
    assert message("birealnet18", keras) == f"{keras} has Larq Zoo's weights of quicknet, not of birealnet18"
    monkeypatch.setitem(published_files._WITHOUT_LAST_LAYER, "quicknet", digest)
    assert "without its last layer. Take the file whose name does not end in _notop" in message("quicknet", keras)
