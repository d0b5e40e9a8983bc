"""What Rich would draw in a terminal, as plain text and as HTML for a notebook."""

from io import StringIO

from rich.console import Console, RenderableType

_WIDTH = 120  # characters
_PRE = '<pre style="line-height: normal; overflow-x: auto">{code}</pre>'


def as_text(renderable: RenderableType) -> str:
    """Lines of text without colours or trailing blanks."""
    lines = _drawn(renderable).export_text().splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def as_html(renderable: RenderableType) -> str:
    """One <pre> element, in which everything is escaped."""
    return _drawn(renderable).export_html(inline_styles=True, code_format=_PRE)


def _drawn(renderable: RenderableType) -> Console:
    console = Console(file=StringIO(), record=True, width=_WIDTH, highlight=False, markup=False, emoji=False)
    console.print(renderable)
    return console
