"""The arrays of a checkpoint of PyTorch: which dictionary holds them, and how a tensor is read from its storage."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.typing import Array
from mobile_bnn.zoo.importing.checkpoints import Checkpoint, StoredArray
from mobile_bnn.zoo.importing.torch_tensors import Storage, Tensor

# Where trainers keep a network's weights beside what else they save; an average of them is what is evaluated.
_AVERAGES = ("state_dict_ema", "ema_state_dict", "model_ema", "ema")
_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")
_WRAPPERS = ("module.", "_orig_mod.", "model.")


def checkpoint_of(
    path: Path,
    content: Any,
    size_of: Callable[[Storage], int],
    read: Callable[[Storage], bytes],
    *,
    big_endian: bool,
) -> Checkpoint:
    """The arrays of what a pickle holds.

    Args:
        path: of the file.
        content: as `torch_pickle.read_pickle` returns it.
        size_of: bytes that the file has of a storage; -1 for none.
        read: those bytes.
        big_endian: whether the most significant byte stands first.

    Raises:
        MobileBnnError: there is no dictionary of tensors in it, or a storage is missing or cut off.
    """
    tensors, notes = _state_dict(path, content)
    arrays = {}
    for name, tensor in tensors.items():
        storage = tensor.storage
        if size_of(storage) != storage.size * storage.item_bytes:
            what = "is missing" if size_of(storage) < 0 else "has another size than the tensors need"
            raise MobileBnnError(f"{path} is a damaged checkpoint", why=f"what {name} is stored in {what}")
        arrays[name] = StoredArray(tensor.shape, _reader(tensor, read, big_endian=big_endian))
    return Checkpoint(path, "PyTorch", arrays, notes=tuple(notes))


def _state_dict(path: Path, content: Any) -> tuple[dict[str, Tensor], list[str]]:
    """The dictionary of tensors, without what DataParallel and others put before its names."""
    notes: list[str] = []
    for _ in range(4):  # of which one may lie in another
        if not isinstance(content, dict):
            break
        key = next((key for key in (*_AVERAGES, *_KEYS) if isinstance(content.get(key), dict)), None)
        if key is None:
            tensors = {name: each for name, each in content.items() if isinstance(each, Tensor)}
            if not tensors or not all(isinstance(name, str) for name in tensors):
                break
            return _unwrapped(tensors), notes
        if key in _AVERAGES and any(isinstance(content.get(each), dict) for each in _KEYS):
            notes.append(f"the average of the weights ({key}) was taken")
        content = content[key]
    raise MobileBnnError(
        f"{path} has no weights that can be read",
        why="it is not a dictionary of tensors, nor holds one under state_dict or model",
        cure="Save one where it was made: torch.save(model.state_dict(), 'weights.pth')",
    )


def _unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names = list(tensors)
    for _ in range(3):
        prefix = next((each for each in _WRAPPERS if all(name.startswith(each) for name in names)), "")
        names = [name.removeprefix(prefix) for name in names]
    return dict(zip(names, tensors.values(), strict=True))


def _reader(tensor: Tensor, read: Callable[[Storage], bytes], *, big_endian: bool) -> Callable[[], Array]:
    def array() -> Array:
        stored = tensor.storage.dtype
        dtype = np.dtype("u2" if stored == "bfloat16" else stored).newbyteorder(">" if big_endian else "<")
        flat = np.frombuffer(read(tensor.storage), dtype)[tensor.offset :]
        strides = [stride * dtype.itemsize for stride in tensor.strides]
        # Whose bounds were checked when the tensor was made; an empty one has no place to begin at.
        view = np.lib.stride_tricks.as_strided(flat, tensor.shape, strides, writeable=False)
        if stored == "bfloat16":
            return (view.astype(np.uint32) << 16).view(np.float32)
        with np.errstate(over="ignore"):  # an infinity is refused later
            return view.astype(np.float32)

    return array
