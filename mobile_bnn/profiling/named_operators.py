"""Makes operators out of the logs that a runner without Python sends: the host has the file that names them."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from ai_edge_litert.schema_py_generated import ModelT

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.engines.litert import latencies
from mobile_bnn.profiling.messages import Figures, RawTrace
from mobile_bnn.runtime import read_model
from mobile_bnn.runtime.operator_times import read_operator_times
from mobile_bnn.runtime.trace import Trace, merge, read_nodes


def with_operators(figures: Figures, path: Path, *, with_library: bool) -> Figures:
    """The same figures with operators instead of logs; without logs they stay as they are.

    Args:
        figures: of the file.
        path: the file.
        with_library: whether our library took part.

    Raises:
        MobileBnnError: a log is malformed, or names operators that the file has not.
    """
    if figures.trace is None and figures.trace_plain is None:
        return figures
    model = read_model(path)
    traces = [_read(raw, model, with_library=with_library) for raw in (figures.trace, figures.trace_plain)]
    return figures.model_copy(
        update={
            "trace": None,
            "trace_plain": None,
            "operator_times": latencies(traces[0]) if traces[0] else [],
            "operator_times_plain": latencies(traces[1]) if traces[1] else [],
            "delegated_operators": traces[0].delegated if traces[0] and with_library else None,
        }
    )


def _read(raw: RawTrace | None, model: ModelT, *, with_library: bool) -> Trace | None:
    if raw is None:
        return None
    nodes = read_nodes(_inferences(raw.every, raw.every_ends), model, skip=raw.warm_up)
    own = _inferences(raw.own, raw.own_ends)
    ours = read_operator_times(own, model, skip=raw.warm_up) if with_library and raw.own else []
    return merge(ours, nodes, model)


def _inferences(log: str, ends: Sequence[int]) -> list[list[str]]:
    """The lines of each inference."""
    places = [0, *ends]
    if any(before > after for before, after in pairwise(places)) or places[-1] > len(log):
        raise MobileBnnError("the target sent a log that cannot be read", why="its inferences do not follow each other")
    return [log[before:after].splitlines(keepends=True) for before, after in pairwise(places)]
