"""The conversion matrix: every family is binary and equal to Keras in both runtimes, or refused by name."""

from collections.abc import Sequence

import pytest
from matrix.every import FAMILIES
from matrix.family import Family
from matrix.outcome import ROUNDING, convert, difference, keras_outputs, lce_outputs, our_outputs

from mobile_bnn.converters import lowering
from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.rules.driver import apply_until_stable, rewrite_limit
from mobile_bnn.converters.rules.rule import Rule
from mobile_bnn.converters.rules.trace import Trace
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.typing import KerasModel


@pytest.fixture(autouse=True)
def few_rewrites(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends takes far fewer rewrites than what is taken for endless."""

    def counted(graph: Graph, rules: Sequence[Rule], trace: Trace) -> int:
        limit = rewrite_limit(graph)
        rewrites = apply_until_stable(graph, rules, trace)
        assert rewrites <= limit / 8, f"{rewrites} rewrites of {limit}"
        return rewrites

    monkeypatch.setattr(lowering, "apply_until_stable", counted)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_family(family: Family) -> None:
    model = family.model()
    if family.refused:
        assert family.refused in _refusal(family, model)
        return
    outcome = convert(family.source(model))
    assert outcome.refusals == []
    assert outcome.operators["LceBconv2d"] > 0 or family.operators.get("LceBconv2d") == 0
    wrong = {
        kind: outcome.operators[kind] for kind, count in family.operators.items() if outcome.operators[kind] != count
    }
    images = family.images(model)
    expected = keras_outputs(family.runnable(model), images)
    ours = our_outputs(outcome.flatbuffer, images, family.batch_size)
    assert difference(ours, expected) <= ROUNDING
    if family.batch_size == 1:  # LCE's interpreter takes no other batches
        assert difference(lce_outputs(outcome.flatbuffer, images), ours) <= ROUNDING
    assert not wrong, outcome.operators
    if family.most_bytes:
        assert len(outcome.flatbuffer) <= family.most_bytes


def _refusal(family: Family, model: KerasModel) -> str:
    try:
        return "; ".join(layer.reason for layer in convert(family.source(model)).layers)
    except MobileBnnError as error:
        return str(error)


def test_there_are_as_many_families_as_the_documentation_says() -> None:
    assert len(FAMILIES) >= 70
