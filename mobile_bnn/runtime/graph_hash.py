"""Identifies what a .tflite file computes: a hash of its content without our metadata record.

A measurement or a verification belongs to a graph, not to what the file tells about itself. So the hash walks the
schema's object tree instead of the bytes: it is the same before and after the record is put in, and whatever packed
the file.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.schema_py_generated import ModelT

from mobile_bnn.runtime.describe import text
from mobile_bnn.runtime.flatbuffer import read_model
from mobile_bnn.runtime.metadata import ENTRY
from mobile_bnn.typing import FlatbufferObject

_FORMAT = b"mobile_bnn graph 1\n"


def graph_sha256(model: ModelT | bytes | Path | str) -> str:
    """The SHA-256 of a .tflite file's content without our metadata record, in hexadecimal.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: the file is malformed.
    """
    tree = model if isinstance(model, ModelT) else read_model(model)
    digests = [_digest_of(buffer.data) for buffer in tree.buffers]
    digest = hashlib.sha256(_FORMAT)

    def add(value: Any) -> None:
        """Adds a value with its type and length, so that no two different trees give the same bytes."""
        if isinstance(value, np.ndarray):
            add(value.tolist())
        elif isinstance(value, list | tuple):
            digest.update(b"list %d\n" % len(value))
            for item in value:
                add(item)
        elif hasattr(value, "__dict__"):
            fields = _fields(value, digests)
            digest.update(b"%s %d\n" % (type(value).__name__.encode(), len(fields)))
            for name, field in fields:
                add(name)
                add(field)
        else:
            content = repr(value).encode()
            digest.update(b"%s %d\n" % (type(value).__name__.encode(), len(content)) + content)

    add(tree)
    return digest.hexdigest()


def _digest_of(data: Any) -> bytes:
    # Most buffers are empty. An absent vector and an empty one mean the same.
    return b"" if data is None or len(data) == 0 else hashlib.sha256(np.ascontiguousarray(data).data).digest()


def _fields(table: FlatbufferObject, digests: list[bytes]) -> list[tuple[str, object]]:
    """The fields of a table that are set, by name, with buffers as digests of their content.

    Fields at their default are left out: a newer schema knows more of them. So are the list of buffers, whose numbers
    may change when a record comes or goes, and our record.
    """
    fields = dict(vars(table))
    if isinstance(table, ModelT):
        del fields["buffers"]
        fields["metadata"] = [entry for entry in table.metadata if text(entry.name) != ENTRY]
    if "buffer" in fields:  # of a tensor or of a metadata entry
        fields["buffer"] = digests[fields["buffer"]]
    defaults = vars(type(table)())
    return sorted((name, value) for name, value in fields.items() if not _is_default(value, defaults[name]))


def _is_default(value: object, default: object) -> bool:
    if value is None or isinstance(value, list | tuple | str | bytes | np.ndarray):
        return value is None or len(value) == 0
    return bool(value == default)
