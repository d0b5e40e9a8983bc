"""`mbnn zoo list`: the architectures, what they cost and how good they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, out, print_json
from mobile_bnn.errors import UsageError

if TYPE_CHECKING:
    from mobile_bnn.report.layout import Table
    from mobile_bnn.zoo import Architecture

_NAME = 60  # characters of a name that must stay together: it is to be typed

EXAMPLE = 'Example: mbnn zoo list "*resnet*" --task detection'


def command(
    pattern: Annotated[str, typer.Argument(help='Names to list, such as "*resnet*".')] = "*",
    task: Annotated[str | None, typer.Option(help="Only those that can carry the task's head.")] = None,
    weights: Annotated[bool, typer.Option("--weights", help="Only those with trained weights.")] = False,
    as_json: Json = False,
) -> None:
    """List the architectures: size, work, latency here, published accuracy, trained weights.

    With --task and --weights: those with weights that were trained for the task.
    """
    from mobile_bnn import tasks
    from mobile_bnn.report.layout import Fitted
    from mobile_bnn.zoo.facts import facts, found

    entries = found(pattern, tasks.create(task) if task else None, weights=weights)
    if as_json:
        print_json({entry.name: {"summary": entry.summary, **facts(entry)} for entry in entries})
        return
    if not entries:
        raise UsageError("no architecture matches", cure="mbnn zoo list shows all of them")
    out.print(Fitted(_table(entries)))
    out.print(f"latency: {_measured_on()}")


def _table(entries: "Sequence[Architecture]") -> "Table":
    from mobile_bnn.report.layout import Column, Table

    columns = [
        Column("name", unbroken=_NAME),
        Column("input"),
        Column("parameters", number=True),
        Column("binary MACs", number=True),
        Column("float MACs", number=True),
        Column("file", number=True),
        Column("latency", number=True),
        Column("published top-1", number=True),
        Column("weights"),
    ]
    return Table("", columns, [_row(entry) for entry in entries])


def _row(entry: "Architecture") -> list[str]:
    from mobile_bnn.report.formats import macs, milliseconds, size
    from mobile_bnn.zoo.facts import facts

    known = facts(entry)
    figures = [""] * 5
    if known["file_bytes"] is not None:
        figures = [macs(known[name]) for name in ("parameters", "binary_macs", "float_macs")]
        figures += [size(known["file_bytes"]), milliseconds(known["latency_ms"])]
    published = ", ".join(f"{each['top1']:g}%" for each in known["published"])
    return [entry.name, "x".join(map(str, entry.input_shape)), *figures, published, ", ".join(known["weights"])]


def _measured_on() -> str:
    from mobile_bnn.zoo.figures import figures

    machines = {f"{each.processor} ({each.kernel})" for each in figures().values()}
    return f"the delegate with one thread on {' and '.join(sorted(machines))}" if machines else "not measured"
