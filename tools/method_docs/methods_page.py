"""Writes docs/methods.md: what is known of every method, from its class.

usage: python tools/method_docs/methods_page.py
"""

from pathlib import Path

from mobile_bnn import methods
from mobile_bnn.methods import DEPLOY_CLASSES, Method
from mobile_bnn.methods.checked import checked

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"
COMMON = ("clip", "bop", "float_start", "float_kernels", "input_gradient")  # of every method, docs/recipes.md has them

INTRODUCTION = """# Binarization methods

Written by `tools/method_docs/methods_page.py` from the classes in `mobile_bnn/methods` and the record of
`make test-methods-long`.

`mbnn train --method NAME` trains any network with any of them, `mbnn methods show NAME --plot FILE.png` draws its
quantizers forward and backward. How to write one of your own: [recipes.md](recipes.md).

*Trains*: the best epoch's accuracy of the small network `binary_lenet`, or of `resnet20` for methods that need
shortcuts, on scikit-learn's digits (chance is 10 %), and the number of epochs. It shows that a method learns, not which
one is best. A method with this number has passed `mobile_bnn.testing.check_method`: values and gradients on nasty
inputs, mixed precision, the same weights on two devices as on one, exact resumption, saving and loading, and a file
that computes what Keras does, with as many binary convolutions for each layer (*bconvs*) as stand here.
`mbnn convert --allow-float all` writes files without any.
"""


def page() -> str:
    """The Markdown page."""
    names = [name for name in methods.names() if methods.get(name).__module__.startswith("mobile_bnn.")]
    entries = [methods.get(name) for name in names]
    parts = [INTRODUCTION, _table(entries), "## What a layer becomes in the file\n", "| class | meaning |\n|---|---|"]
    parts += [f"| {name} | {meaning} |" for name, meaning in DEPLOY_CLASSES.items()]
    return "\n".join([*parts, "", *map(_section, entries)])


def _table(entries: list[type[Method]]) -> str:
    lines = ["| method | title | year | category | class | bconvs | trains |", "|---|---|---|---|---|---|---|"]
    for entry in entries:
        card, found = entry.card, checked().get(entry.card.name)
        trains = f"{found.best_accuracy:.0%} in {found.epochs}" if found else ""
        cells = (
            f"[{card.name}](#{card.name})",
            card.title,
            card.year,
            card.category,
            card.deploy_class,
            card.binary_convolutions,
            trains,
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def _section(entry: type[Method]) -> str:
    card = entry.card
    parts = [f"## {card.name}\n", f"{card.paper}.\n", f"{_sentence(card.summary)}\n"]
    if card.formula:
        parts.append(f"```\n{card.formula}\n```\n")
    if card.choices:
        parts.append(f"{_sentence(card.choices)}\n")
    if entry.needs:
        parts.append(f"Needs a network with {entry.needs_in_words()}.\n")
    if own := [name for name in entry.model_fields if name not in COMMON or _differs(entry, name)]:
        parts.append("| hyperparameter | default | what it is |\n|---|---|---|")
        parts += [f"| `{name}` | {entry.model_fields[name].default} | {_cell(entry, name)} |" for name in own]
        parts.append("")
    if card.published:
        parts.append("| published | network | bits | top-1 % | from |\n|---|---|---|---|---|")
        parts += [f"| {r.dataset} | {r.network} | {r.bits} | {r.top1:g} | {r.source} |" for r in card.published]
        parts.append("")
    return "\n".join(parts)


def _differs(entry: type[Method], name: str) -> bool:
    return bool(entry.model_fields[name].default != Method.model_fields[name].default)


def _cell(entry: type[Method], name: str) -> str:
    return str(entry.model_fields[name].description).replace("|", "\\|")


def _sentence(text: str) -> str:
    """With its full stop and a capital, which a Greek letter must not become: Α is not α."""
    first = text[0].upper() if text[0].isascii() else text[0]
    return first + text[1:] + ("" if text.endswith(".") else ".")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
