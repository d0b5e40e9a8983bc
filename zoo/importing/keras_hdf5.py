"""The weights in an HDF5 file of Keras 2: what `save_weights("….h5")` and `save("….h5")` write.

A group has the attribute `layer_names`, each layer is a group in it with `weight_names`, and these name its arrays.
Long lists are cut into `layer_names0`, `layer_names1` and so on.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.typing import Array
from mobile_bnn.zoo.importing.checkpoints import Checkpoint, StoredArray

_MAX_ARRAYS = 100_000
_MAX_NAMES = 1 << 24  # bytes
_MAX_ELEMENTS = 1 << 30


def read_hdf5(path: Path) -> Checkpoint:
    """The arrays of such a file, named LAYER/WEIGHT as Keras does, without a layer's scopes and the ":0".

    Raises:
        MobileBnnError: it is another HDF5 file, damaged, or links to other files.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _checkpoint(path, file)
    except MobileBnnError:
        raise
    except Exception as error:  # whatever HDF5 and h5py make of a damaged file
        raise MobileBnnError(f"{path} is a damaged HDF5 file", why=first_line(error)) from error


def _checkpoint(path: Path, file: Any) -> Checkpoint:
    import h5py

    group = _member(path, file, "model_weights") if "model_weights" in file else file
    if "layer_names" not in group.attrs and "layer_names0" not in group.attrs:
        newer = "_layer_checkpoint_dependencies" in file or "layers" in file
        cure = "Save it with Keras 2, as Larq Zoo's are: model.save_weights('….h5')" if newer else ""
        raise MobileBnnError(f"{path} is an HDF5 file, but not one of Keras 2's weights", cure=cure)
    arrays: dict[str, StoredArray] = {}
    for layer in _names(group, "layer_names"):
        for weight in _names(_member(path, group, layer), "weight_names"):
            inside = f"{group.name.rstrip('/')}/{layer}/{weight}"
            stored = _member(path, file, inside)
            if not isinstance(stored, h5py.Dataset):
                raise MobileBnnError(f"{path} is a damaged HDF5 file", why=f"{inside} is not an array")
            name = f"{layer}/{weight.rpartition('/')[2].partition(':')[0]}"
            if name in arrays or len(arrays) == _MAX_ARRAYS:
                raise MobileBnnError(f"{path} is a damaged HDF5 file", why=f"{name} stands in it twice")
            arrays[name] = StoredArray(_shape(path, stored), _reader(path, inside))
    return Checkpoint(path, "Keras", arrays, _model(file))


def _member(path: Path, group: Any, name: str) -> Any:
    """What lies in a group under a name, which may have slashes; never in another file, nor through a loop of links."""
    import h5py

    for part in filter(None, name.split("/")):
        if not isinstance(group, h5py.Group) or not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise MobileBnnError(f"{path} is a damaged HDF5 file", why=f"{name} is missing or a link")
        group = group[part]
    return group


def _names(group: Any, attribute: str) -> Iterator[str]:
    whole = [attribute] if attribute in group.attrs else []
    parts = whole or sorted((each for each in group.attrs if each.startswith(attribute)), key=len)
    for part in parts:
        for name in _attribute(group, part):
            yield name.decode("utf-8") if isinstance(name, bytes) else str(name)


def _attribute(group: Any, name: str) -> Any:
    """Its value; a damaged one may say that it has so many elements that reading them would take hours.

    Raises:
        ValueError: it does.
    """
    stored = group.attrs.get_id(name)
    if np.prod(stored.shape, dtype=float) * stored.dtype.itemsize > _MAX_NAMES:
        raise ValueError(f"its attribute {name} is too large")
    return group.attrs[name]


def _shape(path: Path, stored: Any) -> tuple[int, ...]:
    shape = tuple(int(size) for size in stored.shape)
    if stored.external or stored.is_virtual:
        raise MobileBnnError(f"{path} keeps its arrays in other files", cure="Save it as one file")
    if stored.dtype.kind != "f" or np.prod(shape, dtype=float) > _MAX_ELEMENTS:
        raise MobileBnnError(f"{path} has an array of {stored.dtype} {shape}", why="weights are floating-point numbers")
    return shape


def _reader(path: Path, inside: str) -> Any:
    def read() -> Array:
        import h5py

        try:
            with h5py.File(path, "r") as file:
                return np.asarray(file[inside][()], np.float32)
        except Exception as error:
            raise MobileBnnError(f"{path} is a damaged HDF5 file", why=first_line(error)) from error

    return read


def _model(file: Any) -> str:
    """The name of the model, in files that hold the whole one."""
    try:
        return str(json.loads(_attribute(file, "model_config"))["config"]["name"])
    except (KeyError, TypeError, ValueError):
        return ""
