"""Reads the pickle of a checkpoint of torch.save without running it: a machine that knows what tensors need, no more.

Python's unpickler calls whatever a file names, so it is not used. `pickletools` cuts the bytes into operations; those
that torch.save writes for dictionaries, lists, numbers, strings and tensors are carried out here, every other one is
refused. A name in the file is looked up in the tables below and is never imported. Sizes are those of the file itself:
objects are shared, not copied, so a small file cannot make large ones.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, NoReturn

from mobile_bnn.zoo.importing.torch_tensors import DTYPES, RefusedError, Storage, Tensor, is_size, tensor_of

_CURE = "Save its tensors alone, where it was made: torch.save(model.state_dict(), 'weights.pth')"
_MAX_OPERATIONS = 5_000_000


@dataclass(frozen=True)
class _Global:
    name: str


_MARK = object()
_STORAGES = {f"torch {name}": dtype for name, dtype in DTYPES.items()}
_CALLS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "collections OrderedDict": lambda arguments: _ordered(arguments),
    "torch._utils _rebuild_tensor": lambda arguments: tensor_of(arguments),
    "torch._utils _rebuild_tensor_v2": lambda arguments: tensor_of(arguments),
    "torch._utils _rebuild_parameter": lambda arguments: _parameter(arguments),
}


def read_pickle(file: IO[bytes]) -> Any:
    """What one pickle holds: dict, list, tuple, str, number, bool, None and `Tensor`, nested.

    Args:
        file: from which exactly the pickle is taken.

    Raises:
        RefusedError: it is damaged, or has anything else.
    """
    try:
        return _Machine().run(file)
    except RefusedError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, EOFError, OverflowError) as error:
        raise RefusedError("damaged", why="it is not what torch.save writes", cure=_CURE) from error


class _Machine:
    """A stack, a memo, and an action for each operation."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: IO[bytes]) -> Any:
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if operation.name == "STOP":
                (result,) = self.stack
                return result
            action = _ACTIONS.get(operation.name)
            if action is None or count > _MAX_OPERATIONS:
                raise RefusedError("unsafe", why=f"it has the pickle operation {operation.name}", cure=_CURE)
            action(self, argument)
        raise EOFError

    def from_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        at = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def pop(self, count: int) -> list[Any]:
        items = self.stack[len(self.stack) - count :]
        if len(items) < count or any(each is _MARK for each in items):
            raise IndexError
        del self.stack[len(self.stack) - count :]
        return items


def _push(value: Callable[[Any], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, argument: machine.stack.append(value(argument))


def _tuple(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, argument: machine.stack.append(tuple(machine.pop(count)))


def _put(machine: _Machine, key: int) -> None:
    machine.memo[key] = machine.stack[-1]


def _get(machine: _Machine, key: int) -> None:
    machine.stack.append(machine.memo[key])


def _set_items(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if not isinstance(target, dict) or len(items) % 2:
        raise TypeError
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str | int):  # the hash of nested tuples may take for ever
            raise TypeError
        target[key] = value


def _append(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if not isinstance(target, list):
        raise TypeError
    target.extend(items)


def _build(machine: _Machine, _: Any) -> None:
    """Attributes of a dictionary, such as the versions of its modules, are dropped; nothing else has any."""
    target, _state = machine.pop(2)
    if not isinstance(target, dict):
        raise TypeError
    machine.stack.append(target)


def _global(machine: _Machine, name: str) -> None:
    if name not in _CALLS and name not in _STORAGES:
        _refuse_name(name.replace(" ", "."))
    machine.stack.append(_Global(name))


def _refuse_name(name: str) -> NoReturn:
    raise RefusedError("unsafe", why=f"it asks for {name[:80]}, and only tensors are read", cure=_CURE)


def _reduce(machine: _Machine, _: Any) -> None:
    function, arguments = machine.pop(2)
    if not isinstance(function, _Global) or function.name not in _CALLS or not isinstance(arguments, tuple):
        raise TypeError
    machine.stack.append(_CALLS[function.name](arguments))


def _storage(machine: _Machine, _: Any) -> None:
    """A persistent id: ("storage", class, key, device, number of elements), in old files with a view of another."""
    (described,) = machine.pop(1)
    kind, storage_class, key, _device, size, *view = described
    if kind != "storage" or not isinstance(key, str) or not is_size(size) or (view and view != [None]):
        raise TypeError
    machine.stack.append(Storage(_STORAGES[storage_class.name], key, size))


def _ordered(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if arguments:
        raise TypeError
    return {}


def _parameter(arguments: tuple[Any, ...]) -> Tensor:
    tensor = arguments[0]
    if not isinstance(tensor, Tensor):
        raise TypeError
    return tensor


_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda machine, argument: None,
    "FRAME": lambda machine, argument: None,
    "MARK": _push(lambda _: _MARK),
    "NONE": _push(lambda _: None),
    "NEWTRUE": _push(lambda _: True),
    "NEWFALSE": _push(lambda _: False),
    "EMPTY_DICT": _push(lambda _: {}),
    "EMPTY_LIST": _push(lambda _: []),
    "EMPTY_TUPLE": _push(lambda _: ()),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "TUPLE": lambda machine, argument: machine.stack.append(tuple(machine.from_mark())),
    "LIST": lambda machine, argument: machine.stack.append(machine.from_mark()),
    "SETITEM": lambda machine, argument: _set_items(machine, machine.pop(2)),
    "SETITEMS": lambda machine, argument: _set_items(machine, machine.from_mark()),
    "APPEND": lambda machine, argument: _append(machine, machine.pop(1)),
    "APPENDS": lambda machine, argument: _append(machine, machine.from_mark()),
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "BINGET": _get,
    "LONG_BINGET": _get,
    "GLOBAL": _global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "BINPERSID": _storage,
}
for _name in ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINBYTES"):
    _ACTIONS[_name] = _push(lambda argument: argument)
