"""The driver of the rules: it ends, whatever they do, and names those that would not."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import converters
from mobile_bnn.cli.main import app
from mobile_bnn.converters import lowering
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.driver import apply_until_stable
from mobile_bnn.converters.rules.rule import Rule
from mobile_bnn.errors import MobileBnnError

REACTNET = Path(__file__).parents[1] / "pytorch" / "reactnet.tflite"


def renaming(name: str, old: str, new: str) -> Rule:
    """A rule that makes one kind of operator another, and nothing else."""

    def rewrite(graph: Graph, operator: Operator) -> None:
        operator.op_type = new

    return SimpleNamespace(__name__=f"mobile_bnn.converters.rules.{name}", ROOTS=frozenset({old}), rewrite=rewrite)


def chain(*kinds: str) -> Graph:
    tensors = [Tensor.of(f"t{number}", (1,), np.float32) for number in range(len(kinds) + 1)]
    operators = [Operator.builtin("ABS", [x], [y]) for x, y in pairwise(tensors)]
    for operator, kind in zip(operators, kinds, strict=True):
        operator.op_type = kind
    return Graph("main", tensors[:1], tensors[-1:], operators)


def test_rules_are_applied_until_nothing_changes() -> None:
    graph = chain("A", "B", "A")
    rules = [renaming("second", "B", "C"), renaming("first", "A", "B")]
    assert apply_until_stable(graph, rules) == 5
    assert [operator.op_type for operator in graph.operators] == ["C"] * 3
    assert apply_until_stable(graph, rules) == 0


@pytest.mark.parametrize("length", [1, 3, 40])
@pytest.mark.parametrize(
    "rules",
    [
        [renaming("there", "A", "B"), renaming("back", "B", "A")],
        [renaming("there", "A", "B"), renaming("on", "B", "C"), renaming("back", "C", "A")],
        [renaming("there", "A", "A")],
    ],
    ids=["two", "three", "one alone"],
)
def test_rules_that_undo_each_other_are_named(rules: list[Rule], length: int) -> None:
    innocent = renaming("innocent", "X", "Y")
    graph = chain(*["X"] * 5, *["A"] * length)
    with pytest.raises(MobileBnnError) as caught:
        apply_until_stable(graph, [innocent, *rules])
    names = ", ".join(sorted(rule.__name__.rpartition(".")[2] for rule in rules))  # type: ignore[attr-defined]
    assert f"rewrites these still fire: {names}. " in str(caught.value)


def test_a_graph_that_grows_without_end_is_refused() -> None:
    def rewrite(graph: Graph, operator: Operator) -> None:
        more = Tensor.of("more", (1,), np.float32)
        graph.append(Operator("A", [operator.output], [more], operator.code))

    growing = SimpleNamespace(__name__="growing", ROOTS=frozenset({"A"}), rewrite=rewrite)
    with pytest.raises(MobileBnnError, match="still fire: growing"):
        apply_until_stable(chain("A"), [growing])


def matches(length: int) -> int:
    """How many matches are tried on a chain of operators of which each makes the one before it possible."""
    tried = 0

    def rewrite(graph: Graph, root: Operator) -> None:
        nonlocal tried
        tried += 1
        if graph.only_reader(root.output).op_type != "DONE":
            raise NoMatch(RefusalCode.PATTERN_ABSENT, "what follows is not done")
        graph.substitute(root, Operator("DONE", root.inputs, root.outputs, root.code))

    graph = chain(*["A"] * (length - 1), "DONE")
    rule = SimpleNamespace(__name__="backwards", ROOTS=frozenset({"A"}), rewrite=rewrite)
    assert apply_until_stable(graph, [rule]) == length - 1
    return tried


def test_a_chain_takes_matches_in_proportion_to_its_length() -> None:
    """Each round makes one rewrite possible: trying all operators in every round would take length squared / 2."""
    assert matches(50) == 2 * 50 - 3
    assert matches(2000) == 2 * 2000 - 3


def test_a_failed_match_is_tried_again_when_what_it_asked_about_changed() -> None:
    """Also if that is far away: here the operator looks at what its neighbour's neighbour reads."""
    graph = chain("A", "X", "X", "B")
    seen = []

    def rewrite(graph: Graph, root: Operator) -> None:
        (second,) = graph.consumers(root.output)
        (third,) = graph.consumers(second.output)
        (last,) = graph.consumers(third.output)
        seen.append(last.op_type)
        if last.op_type != "C":
            raise NoMatch(RefusalCode.PATTERN_ABSENT, "the last is not C")
        graph.substitute(root, Operator("DONE", root.inputs, root.outputs, root.code))

    far = SimpleNamespace(__name__="far", ROOTS=frozenset({"A"}), rewrite=rewrite)

    def change(graph: Graph, root: Operator) -> None:
        graph.substitute(root, Operator("C", root.inputs, root.outputs, root.code))

    rules = [far, SimpleNamespace(__name__="change", ROOTS=frozenset({"B"}), rewrite=change)]
    assert apply_until_stable(graph, rules) == 2
    assert seen == ["B", "C"]
    assert [operator.op_type for operator in graph.operators] == ["DONE", "X", "X", "C"]


@pytest.mark.parametrize("rules", ["CANONICALIZE", "FUSE"])
def test_nothing_is_written_and_one_line_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rules: str) -> None:
    kind = "LceBconv2d" if rules == "FUSE" else "CONV_2D"
    toys = [renaming("there", kind, "OTHER"), renaming("back", "OTHER", kind)]
    monkeypatch.setattr(lowering, rules, (*getattr(lowering, rules), *toys))
    with pytest.raises(MobileBnnError, match="these still fire: back, there"):
        converters.convert(REACTNET, tmp_path / "m.tflite")
    ended = CliRunner().invoke(app, ["lint", str(REACTNET)])
    assert ended.exit_code == 1
    assert ended.stderr.startswith("error: the converter's rules do not come to an end on this model: after ")
    assert ended.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
