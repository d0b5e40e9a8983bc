"""Looks a name up and, when it is unknown, suggests the nearest ones."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TypeVar

from mobile_bnn.errors import UsageError

T = TypeVar("T")


def unknown(kind: str, name: str, known: Collection[str], listing: str = "") -> UsageError:
    """The error for an unknown `name`; `kind` says what it should have been, e.g. "method".

    `listing` replaces the list of all known names where that would be too long.
    """
    near = get_close_matches(name.lower(), list(known), n=3, cutoff=0.6)
    guess = f"Did you mean {' or '.join(near)}? " if near else ""
    return UsageError(f"unknown {kind} {name!r}", cure=f"{guess}Known: {listing or ', '.join(sorted(known))}")


def look_up(kind: str, name: str, known: Mapping[str, T]) -> T:
    """Returns `known[name]`.

    Raises:
        UsageError: there is no such name; the nearest ones are suggested.
    """
    if name not in known:
        raise unknown(kind, name, known)
    return known[name]
