"""Runs TFLite's own `benchmark_model`, or LCE's `lce_benchmark_model`, and reads what it prints.

The tool prints statistics, and no single latency: `Figures.statistics` has what it says, and `latencies_ms` is empty.
The times of operators are means, as it prints no medians. Its memory is the growth since it started, where the tool
does not watch the peak.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profiling.benchmark_output import Printed, operator_latencies, read_output
from mobile_bnn.profiling.messages import EngineInfo, Figures, Request

# Runs a command on the target and returns what it printed; its arguments are the command and a limit in seconds.
Execute = Callable[[Sequence[str], float], str]

_WARMUP_S = 0.5  # the tool's own default


@dataclass(frozen=True)
class Tool:
    """A program of the kind of benchmark_model.

    Attributes:
        engine: what it is called in records.
        variable: the environment variable that names the program.
        kernels: the flags of each kernel, those worth comparing first.
        compared: how many of them are worth comparing.
        takes_delegate: the kernel that loads our library; empty if none does.
    """

    engine: str
    variable: str
    kernels: Mapping[str, tuple[str, ...]]
    compared: int
    takes_delegate: str = field(default="")


TOOLS = {
    tool.engine: tool
    for tool in (
        Tool(
            "benchmark_model",
            "MBNN_BENCHMARK_MODEL",
            {"delegate": (), "xnnpack": ("--use_xnnpack=true",), "plain": ("--use_xnnpack=false",)},
            compared=1,
            takes_delegate="delegate",
        ),
        Tool(
            "lce_benchmark_model",
            "MBNN_LCE_BENCHMARK_MODEL",
            {
                "bgemm": (),
                "indirect_bgemm": ("--use_indirect_bgemm=true",),
                "reference": ("--use_reference_bconv=true",),
            },
            compared=2,
        ),
    )
}


def tools_from_environment() -> dict[str, Path]:
    """The programs that the user names, by engine.

    Raises:
        UsageError: one of them is not there.
    """
    named = {engine: os.environ.get(tool.variable, "") for engine, tool in TOOLS.items()}
    found = {engine: Path(name) for engine, name in named.items() if name}
    for engine, path in found.items():
        if not path.is_file():
            raise UsageError(f"there is no file {path}", why=f"{TOOLS[engine].variable} names it")
    return found


def engine_info(engine: str, program: Path) -> EngineInfo:
    """The engine of a program, which tells no version: the first digits of its SHA-256 stand for it."""
    tool = TOOLS[engine]
    kernels = tuple(tool.kernels)
    return EngineInfo(
        name=engine,
        version=f"sha256 {sha256(program)[:12]}",
        kernels=kernels[: tool.compared],
        further_kernels=kernels[tool.compared :],
    )


def command(
    program: str, request: Request, delegate: str, *, operators: bool = False, xnnpack: bool = True
) -> list[str]:
    """The command that measures as a request asks.

    Args:
        program: the tool, on the target.
        request: its path is that of the model on the target.
        delegate: our library, on the target.
        operators: time the operators too, which makes all slower.
        xnnpack: with XNNPACK, or without it.
    """
    tool = TOOLS[request.engine]
    warmup = ["--warmup_runs=1", f"--warmup_min_secs={min(_WARMUP_S, request.max_seconds)}"]
    if request.warmup is not None:  # the tool cannot leave the first run out
        warmup = [f"--warmup_runs={max(1, request.warmup)}", "--warmup_min_secs=0"]
    words = [
        program,
        f"--graph={request.path}",
        f"--num_threads={request.threads}",
        f"--num_runs={request.runs}",
        f"--min_secs={request.min_seconds}",
        f"--max_secs={request.max_seconds}",
        *warmup,
        "--report_peak_memory_footprint=true",
        *tool.kernels[request.kernel],
    ]
    if tool.takes_delegate and request.kernel == tool.takes_delegate:
        words += [f"--external_delegate_path={delegate}", f"--external_delegate_options=num_threads:{request.threads}"]
    if operators:
        words.append("--enable_op_profiling=true")
    if not xnnpack:
        words.append("--use_xnnpack=false")
    return words


def measure(program: str, request: Request, delegate: str, sha: str, limit_s: float, execute: Execute) -> Figures:
    """Measures with the tool: latencies first, then operators in runs of their own, with XNNPACK and without.

    Args:
        program: the tool, on the target.
        request: what to measure; inputs and peak are not among what the tool can do, and are left out.
        delegate: our library, on the target.
        sha: the SHA-256 of the model.
        limit_s: after how many seconds a run of the tool is taken to hang.
        execute: runs a command there.

    Raises:
        MobileBnnError: it prints something else than its figures.
    """
    words = _pinned(request.cpus)
    printed = read_output(execute([*words, *command(program, request, delegate)], limit_s))
    figures = _figures(printed, sha)
    if not request.operators:
        return figures
    profiled = []
    for xnnpack in (True, False):
        asked = command(program, request, delegate, operators=True, xnnpack=xnnpack)
        profiled.append(operator_latencies(read_output(execute([*words, *asked], limit_s)).operators))
    return figures.model_copy(update={"operator_times": profiled[0], "operator_times_plain": profiled[1]})


def _pinned(cpus: Sequence[int]) -> list[str]:
    """What pins the tool to cores, as a mask in hexadecimal."""
    return ["taskset", f"{sum(1 << cpu for cpu in cpus):x}"] if cpus else []


def _figures(printed: Printed, sha: str) -> Figures:
    if printed.inference is None:
        raise MobileBnnError("the output of the benchmark tool cannot be read", why="it has no statistics of its runs")
    return Figures(
        file_sha256=sha,
        load_ms=printed.init_ms,
        first_ms=printed.first_ms,
        warmup_runs=printed.warmup.runs if printed.warmup else 0,
        latencies_ms=[],
        peak_memory_bytes=printed.memory_bytes,
        statistics=printed.inference,
    )
