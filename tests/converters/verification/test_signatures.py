"""What a signature's names stand for is checked: by its outputs' places alone, a wrong one could not be told."""

from collections.abc import Callable

import numpy as np
import pytest

from mobile_bnn.converters.graph.model import Graph, Signature, Tensor
from mobile_bnn.converters.verification.signatures import check_signatures
from mobile_bnn.errors import MobileBnnError


def graph() -> Graph:
    inputs, outputs = ([Tensor.of(name, (1, 4), np.float32) for name in names] for names in ("ab", "xy"))
    signature = Signature(
        b"serving_default", dict(zip("ab", inputs, strict=True)), dict(zip("xy", outputs, strict=True))
    )
    return Graph("main", inputs, outputs, [], [signature])


def swap_outputs(made: Graph) -> None:
    made.signatures[0].outputs = {"x": made.outputs[1], "y": made.outputs[0]}


def swap_inputs(made: Graph) -> None:
    made.signatures[0].inputs = {"a": made.inputs[1], "b": made.inputs[0]}


def reorder(made: Graph) -> None:
    made.signatures[0].outputs = dict(reversed(made.signatures[0].outputs.items()))


def rename(made: Graph) -> None:
    made.signatures[0].inputs = {"a": made.inputs[0], "c": made.inputs[1]}


def lose(made: Graph) -> None:
    made.signatures.clear()


def lose_one(made: Graph) -> None:
    del made.signatures[0].outputs["y"]


@pytest.mark.parametrize("change", [swap_outputs, swap_inputs, reorder, rename, lose, lose_one])
def test_other_names_are_refused(change: Callable[[Graph], None]) -> None:
    after = graph()
    change(after)
    with pytest.raises(MobileBnnError, match="the file's signature serving_default of subgraph 1 names other"):
        check_signatures([graph(), graph()], [graph(), after])
    with pytest.raises(MobileBnnError, match="the file's signature serving_default names other"):
        check_signatures([after], [graph()])


def test_two_outputs_may_become_one_tensor() -> None:
    after = graph()
    after.replace(after.outputs[1], after.outputs[0])
    check_signatures([graph()], [after])
    with pytest.raises(MobileBnnError):
        check_signatures([after], [graph()])


def test_names_as_bytes_and_as_text_are_equal() -> None:
    after = graph()
    after.signatures[0].key = "serving_default"
    check_signatures([graph()], [after])
