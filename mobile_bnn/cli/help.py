"""`--help` in terminals that are too narrow for typer's columns, which would cut the options' names off."""

import textwrap
from typing import Any

import typer.core

from mobile_bnn.cli.console import out

_NARROW = 72  # columns; the longest name of an option with its type takes half of that


class _Narrow:
    """Writes a help of its own where typer's does not fit."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Click's hook: writes the help."""
        if out.width < _NARROW:
            _write(self, ctx, formatter)
        else:
            super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Narrow, typer.core.TyperCommand):
    """A command whose help fits into any terminal."""


class Group(_Narrow, typer.core.TyperGroup):
    """A group of commands whose help fits into any terminal."""


def _write(command: Any, ctx: Any, formatter: Any) -> None:
    """Each name on a line of its own, what it means below it."""
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Commands": []}
    for parameter in command.get_params(ctx):
        if record := parameter.get_help_record(ctx):
            sections["Arguments" if parameter.param_type_name == "argument" else "Options"].append(record)
    for name in command.list_commands(ctx) if hasattr(command, "list_commands") else ():
        sections["Commands"].append((name, command.get_command(ctx, name).get_short_help_str(limit=1000)))
    paragraphs = [command.get_usage(ctx), *(command.help or "").split("\n\n")]
    blocks = [_filled(" ".join(paragraph.split())) for paragraph in paragraphs if paragraph]
    for title, records in sections.items():
        lines = [line for name, text in records for line in (_filled(name, 2), _filled(text, 6))]
        if lines:
            blocks.append("\n".join([f"{title}:", *lines]))
    formatter.write("\n\n".join([*blocks, _filled(command.epilog or "")]) + "\n")


def _filled(text: str, indent: int = 0) -> str:
    lead = " " * indent
    width = max(out.width, indent + 10)
    return textwrap.fill(text, width, initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False)
