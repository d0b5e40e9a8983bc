"""Checkpoints of torch.save since PyTorch 1.6: a zip of a pickle and one record for each storage, none compressed."""

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.importing.state_dicts import checkpoint_of
from mobile_bnn.zoo.importing.torch_pickle import read_pickle
from mobile_bnn.zoo.importing.torch_tensors import RefusedError, Storage

_MAX_RECORDS = 100_000
_MAX_PICKLE = 64 << 20


def read_zip(path: Path) -> Checkpoint:
    """The tensors of such a file.

    Raises:
        MobileBnnError: it is damaged, hostile, or another kind of zip.
    """
    try:
        with ZipFile(path) as archive:
            records = {info.filename: info for info in archive.infolist()}
            prefix = _prefix(path, records)
            _check_records(path, archive)
            with archive.open(records[f"{prefix}data.pkl"]) as file:
                content = read_pickle(file)
            order = f"{prefix}byteorder"
            big = order in records and archive.read(records[order]).strip() == b"big"
    except RefusedError as error:
        raise MobileBnnError(f"{path} is {error.what}", why=error.why, cure=error.cure) from error
    except (BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise MobileBnnError(f"{path} is a damaged checkpoint", why=first_line(error)) from error
    sizes = {name.removeprefix(f"{prefix}data/"): info.file_size for name, info in records.items()}

    def read(storage: Storage) -> bytes:
        try:
            with ZipFile(path) as archive:
                return archive.read(f"{prefix}data/{storage.key}")  # which compares its checksum
        except (BadZipFile, EOFError, OSError, KeyError, NotImplementedError, RuntimeError, ValueError) as error:
            raise MobileBnnError(f"{path} is a damaged checkpoint", why=first_line(error)) from error

    return checkpoint_of(path, content, lambda storage: sizes.get(storage.key, -1), read, big_endian=big)


def _check_records(path: Path, archive: ZipFile) -> None:
    """Refuses records that are not torch.save's: never have they more bytes together than the file itself."""
    infos = archive.infolist()
    names = {info.filename for info in infos}
    odd = any(".." in name or "\\" in name for name in names)
    if len(infos) > _MAX_RECORDS or len(names) < len(infos) or odd:
        raise MobileBnnError(f"{path} is a damaged checkpoint", why="the names of its records are not torch.save's")
    squeezed = next((info for info in infos if info.compress_type != ZIP_STORED or info.flag_bits & 1), None)
    if squeezed or sum(info.file_size for info in infos) > path.stat().st_size:
        which = f": {squeezed.filename}" if squeezed else ""
        raise MobileBnnError(f"{path} was not written by torch.save", why=f"its records are compressed{which}")


def _prefix(path: Path, records: Mapping[str, ZipInfo]) -> str:
    """What the names of the records begin with: the name of the file as it was saved."""
    if "config.json" in records and "metadata.json" in records:
        raise MobileBnnError(f"{path} is a model of Keras, not weights", cure="mbnn convert takes it as it is")
    pickles = [name for name in records if name.rpartition("/")[2] == "data.pkl" and name.count("/") <= 1]
    if len(pickles) != 1:
        raise MobileBnnError(f"{path} is a zip, but not a checkpoint of torch.save")
    prefix = pickles[0].removesuffix("data.pkl")
    if f"{prefix}constants.pkl" in records or any(name.startswith(f"{prefix}code/") for name in records):
        cure = "Save its weights: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')"
        raise MobileBnnError(f"{path} is a TorchScript program, not weights", cure=cure)
    if records[pickles[0]].file_size > _MAX_PICKLE:
        raise MobileBnnError(f"{path} is not a checkpoint of torch.save", why="its index is larger than 64 MiB")
    return prefix
