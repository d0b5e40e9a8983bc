"""Times every operator of a .tflite file: those of the native library, of XNNPACK and of the runtime itself."""

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TextIO

from ai_edge_litert.schema_py_generated import ModelT

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.runtime.describe import operator_name, tensor_name
from mobile_bnn.runtime.flatbuffer import read_model
from mobile_bnn.runtime.library import load_delegate
from mobile_bnn.runtime.operator_times import OperatorTime, read_operator_times
from mobile_bnn.runtime.operators import has_binary_operators
from mobile_bnn.runtime.subgraphs import called_subgraphs
from mobile_bnn.typing import Array, LiteRTInterpreter

WARM_UP = 3  # inferences that do not count, at most
_LINE = re.compile(r"(\d{1,18})\t(?:(\d{1,9}):)?(\d{1,9}(?:,\d{1,9}){0,99999})\t(\w{1,100})\t(\d{1,18})\n", re.ASCII)
_SHOWN = 60  # characters of a malformed line that an error repeats
_RUNNERS = {"litert": "litert", "TfLiteXNNPackDelegate": "xnnpack", "mobile_bnn": "delegate"}

_Key = tuple[int, tuple[int, ...]]  # subgraph, operators that run as one


@dataclass(frozen=True)
class NodeTime:
    """How long a node of the runtime takes, which may stand for many operators of the file.

    Attributes:
        operators: their indices in their subgraph.
        runs_in: litert, xnnpack, delegate (our library), or the name of another delegate.
        median_ms: within an inference, all calls together; of a loop or a branch without what its subgraphs took.
        subgraph: whose operators they are.
        calls: how often it runs in an inference, the median.
    """

    operators: tuple[int, ...]
    runs_in: str
    median_ms: float
    subgraph: int
    calls: int


@dataclass(frozen=True)
class Trace:
    """Every operator of a file.

    Attributes:
        times: in the order of the file; those in loops and branches last.
        delegated: how many operators of the file the native library took.
    """

    times: list[OperatorTime]
    delegated: int


def trace_operators(
    content: bytes,
    inputs: Sequence[Array],
    *,
    runs: int = 50,
    num_threads: int = 1,
    isa: str | None = None,
    xnnpack: bool = True,
    with_library: bool = True,
) -> Trace:
    """Times every operator, in an interpreter of its own.

    What our library runs is told operator by operator, with the float ones that it runs in the same pass; XNNPACK runs
    chains of float operators as one. The sum is what an inference takes without copying in and out.

    Args:
        content: the file.
        inputs: an array for each input of the main graph, in the file's order.
        runs: inferences to time, after a few that do not count.
        num_threads: threads of the library and of the runtime.
        isa: instruction set of the library; by default the best of this CPU.
        xnnpack: False runs float operators one by one, with the runtime's own kernels.
        with_library: False leaves our library out, for files without binary operators.

    Raises:
        MobileBnnError: the runtime refuses the file, or lacks what tracing needs.
    """
    model = read_model(content)
    with_library = with_library and has_binary_operators(model)
    # No TemporaryDirectory: the child of a fork would remove the folder when it ends.
    folder = Path(tempfile.mkdtemp(prefix="mobile_bnn-"))
    try:
        options = {"num_threads": str(num_threads), "profile": str(folder / "own")} | ({"isa": isa} if isa else {})
        computing = [load_delegate(options)] if with_library else []
        tracing = load_delegate({"trace": str(folder / "all")})
        interpreter = _create(content, computing, tracing, num_threads, xnnpack=xnnpack)
        invoke = _invocation(interpreter, inputs)
        warm_up = min(WARM_UP, max(1, runs // 2))  # a slow network is stable soon
        own = _lines(folder / "own", invoke, warm_up + runs, folder / "all")
        nodes = read_nodes(own.every, model, skip=warm_up)
        ours = read_operator_times(own.ours, model, skip=warm_up) if with_library else []
        del interpreter  # before the delegates, which it uses
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return merge(ours, nodes, model)


def merge(ours: Sequence[OperatorTime], nodes: Sequence[NodeTime], model: ModelT) -> Trace:
    """The operators of our library one by one, and the other nodes; shares are of all of them."""
    others = [_as_operator(node, model) for node in nodes if node.runs_in != "delegate"]
    every = sorted([*ours, *others], key=lambda each: (each.subgraph, each.operator))
    total = sum(each.median_ms for each in every) or 1.0
    delegated = sum(len(node.operators) for node in nodes if node.runs_in == "delegate")
    return Trace([replace(each, share=each.median_ms / total) for each in every], delegated)


def read_nodes(inferences: Iterable[Iterable[str]], model: ModelT, *, skip: int = 0) -> list[NodeTime]:
    r"""Reads lines of `call \t operators \t runner \t nanoseconds \n`, as the library's option `trace` writes them.

    Args:
        inferences: what was written in each.
        model: the file that ran.
        skip: how many inferences at the beginning do not count.

    Raises:
        MobileBnnError: a line is malformed, or names an operator that the file has not.
    """
    counted: list[dict[_Key, list[int]]] = []
    runners: dict[_Key, str] = {}
    number = 0
    for lines in inferences:
        counted.append(defaultdict(list))
        for line in lines:
            number += 1
            key, runner, nanoseconds = _fields(line, number)
            if not _is_in(model, key):
                raise _malformed(number, "the file has no such operators")
            if runners.setdefault(key, runner) != runner:
                raise _malformed(number, f"{runner} runs what {runners[key]} ran before")
            counted[-1][key].append(nanoseconds)
    counted = counted[skip:]
    if not counted or not runners:
        raise MobileBnnError("the traced times cannot be read", why="there are none")
    own = [_without_subgraphs(times, model) for times in counted]
    return [
        NodeTime(
            operators=key[1],
            runs_in=_RUNNERS.get(runners[key], runners[key]),
            median_ms=median(each.get(key, 0) for each in own) / 1e6,
            subgraph=key[0],
            calls=round(median(len(each.get(key, ())) for each in counted)),
        )
        for key in sorted(runners, key=lambda key: (key[0], key[1][0]))
    ]


def _without_subgraphs(times: dict[_Key, list[int]], model: ModelT) -> dict[_Key, int]:
    """The nanoseconds of each node in one inference; of one that calls subgraphs without those of their nodes."""
    totals = {key: sum(values) for key, values in times.items()}
    inside: dict[int, int] = defaultdict(int)
    for (subgraph, _), value in totals.items():
        inside[subgraph] += value
    own = dict(totals)
    for key in totals:
        called = {
            number for index in key[1] for number in called_subgraphs(model.subgraphs[key[0]].operators[index]).values()
        }
        own[key] = max(0, totals[key] - sum(inside[number] for number in called))
    return own


@dataclass(frozen=True)
class _Logs:
    ours: list[list[str]]
    every: list[list[str]]


def _lines(own: Path, invoke: Callable[[], None], count: int, every: Path) -> _Logs:
    """What both logs got in each inference."""
    logs = _Logs([], [])
    own.touch()
    with _opened(own) as ours, _opened(every) as all_of_them:
        for _ in range(count):
            invoke()
            logs.ours.append(ours.readlines())
            logs.every.append(all_of_them.readlines())
    return logs


def _opened(log: Path) -> TextIO:
    return log.open(encoding="ascii", errors="replace", newline="\n")


def _create(
    content: bytes, computing: list[object], tracing: object, num_threads: int, *, xnnpack: bool
) -> LiteRTInterpreter:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = OpResolverType.AUTO if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        interpreter = Interpreter(
            model_content=content,
            experimental_delegates=computing or None,
            num_threads=num_threads,
            experimental_op_resolver_type=kind,
        )
        interpreter.allocate_tensors()
        # XNNPACK is applied by then, and whoever comes last sees the nodes that run. Python's interpreter has no public
        # call for it; it is what its own constructor does with each delegate.
        interpreter._interpreter.ModifyGraphWithDelegate(tracing._get_native_delegate_pointer())  # type: ignore[attr-defined]
        interpreter._delegates = [*computing, tracing]
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError, AttributeError) as error:
        raise MobileBnnError("the operators cannot be timed", why=first_line(error)) from error
    return interpreter


def _invocation(interpreter: LiteRTInterpreter, inputs: Sequence[Array]) -> Callable[[], None]:
    for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], array)

    def invoke() -> None:
        try:
            interpreter.invoke()
        except RuntimeError as error:
            raise MobileBnnError("the operators cannot be timed", why=first_line(error)) from error

    return invoke


def _as_operator(node: NodeTime, model: ModelT) -> OperatorTime:
    graph = model.subgraphs[node.subgraph]
    operators = [graph.operators[index] for index in node.operators]
    outputs: Sequence[int] = next((each.outputs for each in operators if len(each.outputs)), [])
    return OperatorTime(
        operator=node.operators[0],
        name="+".join(operator_name(model, each) for each in operators),
        layer=tensor_name(graph.tensors[outputs[0]]) if len(outputs) else "",
        median_ms=node.median_ms,
        share=0.0,
        subgraph=node.subgraph,
        calls=node.calls,
        operators=node.operators,
        runs_in=node.runs_in,
    )


def _fields(line: str, number: int) -> tuple[_Key, str, int]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise _malformed(number, f"{line[:_SHOWN]!r} is not call, operators, runner and nanoseconds")
    return (int(match[2] or 0), tuple(map(int, match[3].split(",")))), match[4], int(match[5])


def _is_in(model: ModelT, key: _Key) -> bool:
    subgraph, operators = key
    return subgraph < len(model.subgraphs) and max(operators) < len(model.subgraphs[subgraph].operators)


def _malformed(number: int, why: str) -> MobileBnnError:
    return MobileBnnError("the traced times cannot be read", why=f"line {number}: {why}")
