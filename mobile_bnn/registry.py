"""Things that have a name: built in, registered by a decorator, or brought by another package's entry points."""

from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import walk_packages
from typing import Generic, TypeVar

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.names import unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """Objects by name.

    Args:
        kind: what they are, for messages: "method".
        group: the group of entry points under which other packages bring theirs; an entry point is named as its object.
    """

    def __init__(self, kind: str, group: str) -> None:
        self._kind, self._group = kind, group
        self._known: dict[str, T] = {}
        self._homes: dict[str, str] = {}

    def add(self, name: str, value: T, defined: Callable[..., object] | type) -> None:
        """Registers an object that a class or function defines.

        The same definition again (a notebook cell that runs twice) replaces the former.

        Raises:
            ValueError: another definition has that name.
        """
        home = f"{defined.__module__}.{defined.__qualname__}"
        if self._homes.setdefault(name, home) != home:
            raise ValueError(f"there is a {self._kind} {name!r} already: {self._homes[name]}")
        self._known[name] = value

    def names(self) -> list[str]:
        """All names, sorted; those of other packages are not loaded for that."""
        return sorted({*self._known, *self._offered()})

    def get(self, name: str) -> T:
        """The object of that name.

        Raises:
            UsageError: there is none; the nearest names are suggested.
            MobileBnnError: another package brings it, and it cannot be loaded.
        """
        if name not in self._known:  # only then are the installed packages searched, which takes a while
            entry = self._offered().get(name)
            if entry is None:
                raise unknown(self._kind, name, self.names())
            self._load(entry)
        return self._known[name]

    def _offered(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=self._group)}

    def _load(self, entry: EntryPoint) -> None:
        where = f"the {self._kind} {entry.name!r} of {entry.value}"
        try:
            value = entry.load()
        except Exception as error:  # whatever another package's import raises
            raise MobileBnnError(f"{where} cannot be loaded", why=first_line(error)) from error
        self._known.setdefault(entry.name, value)


def import_modules(package: str, folders: Iterable[str]) -> None:
    """Imports every module of a package and of the packages in it: those that define something register it."""
    for module in walk_packages(folders, f"{package}."):
        import_module(module.name)
