"""Writes docs/zoo.md and docs/zoo.svg: what is known of every architecture, of trained weights and of reproductions.

usage: python tools/zoo_docs/zoo_page.py

It draws on the registrations of `zoo/`, on zoo/figures.json (`make zoo-figures`), zoo/weights and zoo/reproductions.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from latency_plot import draw

from mobile_bnn import zoo
from mobile_bnn.report.formats import count, macs, percent, plural, significant, size
from mobile_bnn.training import reproductions
from mobile_bnn.training.reproductions import Reproduction, Row
from mobile_bnn.zoo import Architecture, Trained
from mobile_bnn.zoo.facts import trained_weights
from mobile_bnn.zoo.figures import figures

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, PLOT = DOCS / "zoo.md", DOCS / "zoo.svg"

INTRODUCTION = """# The zoo

Written by `tools/zoo_docs/zoo_page.py` from the sources, `zoo/figures.json` and the records of the weights.

`mbnn zoo list` prints the first table, `mbnn zoo show NAME` one network with its layers. Any of them trains with any
method of [methods.md](methods.md) (`mbnn train --zoo NAME --method METHOD`) and carries the head of any task
(`--task detection`, see [detection.md](detection.md)). The figures are of the method of its own recipe.

*Binary MACs* have two binarized operands, *float MACs* are all others; *glue* counts the elements that float operators
between linear layers visit, unfused. *File* is the `.tflite`. *Latency* is the median of the delegate with one thread
on {machines}. *Top-1* is what was published for this very network, with its source below: it was measured by others.

![published top-1 over measured latency](zoo.svg)
"""
WEIGHTS = """## Trained weights

They come with the package: `zoo.load(NAME, weights=TAG)` gives the Keras model and the `.tflite`, `mbnn zoo load NAME
--weights TAG` a run folder with both, and `mbnn train --zoo NAME --weights TAG --dataset YOURS` goes on from them, for
another number of classes too. *Float twin* is the same network without binary layers, trained by the same recipe.
"""
REPRODUCTIONS = """## Published results and their recipes

`mbnn reproduce NAME --data-dir FOLDER` trains the recipe, converts and verifies the model, and writes the row. What was
not reproduced here is marked so: this project had neither CIFAR-10 nor ImageNet.
"""


def page() -> str:
    """The Markdown page."""
    entries = [zoo.get(name) for name in zoo.names() if zoo.get(name).backbone.__module__.startswith("mobile_bnn.")]
    machines = sorted({f"{each.processor} ({each.kernel})" for each in figures().values()})
    parts = [
        INTRODUCTION.format(machines=" and ".join(machines)),
        _networks(entries),
        WEIGHTS,
        _weights([each for entry in entries for each in trained_weights(entry)]),
        REPRODUCTIONS,
        _reproductions(),
        "## Where they are from\n",
        *map(_section, entries),
    ]
    return "\n".join(parts)


def _networks(entries: Sequence[Architecture]) -> str:
    heads = ("network", "input", "parameters", "binary layers", "binary MACs", "float MACs", "glue", "file", "latency")
    return _table((*heads, "top-1 %"), [_network(entry) for entry in entries])


def _network(entry: Architecture) -> list[str]:
    found = figures().get(entry.name)
    cells = ["not measured", *[""] * 6]
    if found:
        counted = (found.parameters, found.binary_macs, found.float_macs, found.glue_visits)
        parameters, *work = map(macs, counted)
        latency = f"{significant(found.latency_ms)} ms"
        cells = [parameters, count(found.binary_convolutions), *work, size(found.file_bytes), latency]
    published = ", ".join(f"{each.top1:g}" for each in entry.published)
    return [f"[{entry.name}](#{entry.name})", "×".join(map(str, entry.input_shape)), *cells, published]


def _weights(records: Sequence[Trained]) -> str:
    heads = ("network", "tag", "data", "method", "metric", "Keras", ".tflite", "float twin", "epochs", "size", "anew")
    return _table(heads, [_weight(each) for each in records])


def _weight(each: Trained) -> list[str]:
    stored = sum(path.stat().st_size for path in each.folder.iterdir())
    return [
        f"[{each.zoo}](#{each.zoo})",
        f"`{each.tag}`",
        f"{each.dataset}, {plural(each.images, 'test image')}",
        str(each.method["name"]),
        each.headline,
        percent(each.keras),
        percent(each.tflite),
        percent(each.float_twin) if each.float_twin is not None else "",
        str(each.epochs),
        size(stored),
        f"`{each.command}`",
    ]


def _reproductions() -> str:
    heads = ("name", "network", "method", "data", "epochs", "published", "reproduced", "hyperparameters")
    rows = reproductions.reproduced()
    return _table(heads, [_reproduction(reproductions.get(name), rows.get(name)) for name in reproductions.names()])


def _reproduction(each: Reproduction, row: Row | None) -> list[str]:
    recipe = each.recipe
    claim, notes = ["", ""], "trained weights of the package"
    if published := each.published:
        claim = [published.network, f"{published.value:g} % ({published.source})"]
        notes = " ".join(_sentence(part) for part in (published.hyperparameters, published.differs) if part)
    result = "not reproduced here"
    if row:
        result = f"{percent(row.tflite)} ({row.processor}, {significant(row.hours)} h)"
    trained = [recipe.method.card.name, recipe.data.name, str(recipe.epochs)]
    return [f"`{each.name}`", claim[0], *trained, claim[1], result, notes]


def _section(entry: Architecture) -> str:
    lines = [f"### {entry.name}\n", f"{_sentence(entry.source)} {_sentence(entry.summary)}\n"]
    lines += [f"* {each.top1:g} % on {each.dataset}: {each.source}" for each in entry.published]
    return "\n".join([*lines, ""] if entry.published else lines)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(heads)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    draw(PLOT)
