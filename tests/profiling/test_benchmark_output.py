"""What TFLite's benchmark_model prints, in the formats of several years, and what is cut off or malformed."""

import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profiling.benchmark_model import TOOLS, command, engine_info, measure, tools_from_environment
from mobile_bnn.profiling.benchmark_output import operator_latencies, read_output
from mobile_bnn.profiling.messages import Request

# 2.14 and newer, with percentiles; every line begins with INFO.
NEW = """INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Min num runs: [50]
INFO: Graph: [/data/local/tmp/model.tflite]
INFO: External delegate path: [/data/local/tmp/libmobile_bnn_delegate.so]
INFO: Loaded model /data/local/tmp/model.tflite
INFO: EXTERNAL delegate created.
INFO: Explicitly applied EXTERNAL delegate, and the model graph will be partially executed by the delegate w/ 2 kernels.
INFO: The input model file size (MB): 0.61
INFO: Initialized session in 6.279ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=38 first=18072 curr=13152 min=13069 max=18072 avg=13247.2 std=796 p5=13070 median=13140 p95=13400

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=76 first=13227 curr=13180 min=13054 max=13391 avg=13174.1 std=66 p5=13068 median=13176 p95=13274

INFO: Inference timings in us: Init: 6279, First inference: 18072, Warmup (avg): 13247.2, Inference (avg): 13174.1
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual one.
INFO: Memory footprint delta from the start of the tool (MB): init=10.0273 overall=13.375
INFO: Overall peak memory footprint (MB) via periodic monitoring: 20.5
"""

# 2.3: a start column, memory without "delta"; many things are on standard error without INFO.
OLD = """STARTING!
Min num runs: [50]
Loaded model /data/local/tmp/model.tflite
INFO: Created TensorFlow Lite delegate for NNAPI.
Initialized session in 1451.5ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=56 first=11147 curr=8146 min=7055 max=12036 avg=8779.68 std=1115

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
count=110 first=8325 curr=10016 min=7863 max=1.0688e+04 avg=8680.33 std=591

Inference timings in us: Init: 1451507, First inference: 11147, Warmup (avg): 8779.68, Inference (avg): 8680.33
Peak memory footprint (MB): init=63.4883 overall=64.5
"""

# 1.14, and LCE's first programs: no first inference, a table of its own kind of memory.
OLDEST = """Loaded model model.tflite
resolved reporter
Initialized session in 2.491ms
[Init Phase] - Memory usage: max resident set size = 0 MB, total malloc-ed size = 0 MB
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=1 curr=352

Running benchmark for at least 50 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=50 curr=178(all same)

[Overall] - Memory usage: max resident set size = 0 MB, total malloc-ed size = 0 MB
Average inference timings in us: Warmup: 352, Init: 2491, no stats: 178
"""

_INITIALIZATION = """INFO: Profiling Info for Benchmark Initialization:
============================== Run Order ==============================
\t             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t         AllocateTensors\t    0.102\t    0.102\t100.000%\t100.000%\t     0.000\t        1\tAllocateTensors/0

Number of nodes executed: 1
============================== Summary by node type ==============================
\t             [Node type]\t  [count]\t  [avg ms]\t    [avg %]\t    [cdf %]\t  [mem KB]\t[times called]
\t         AllocateTensors\t        1\t     0.102\t   100.000%\t   100.000%\t     0.000\t        1

Timings (microseconds): count=1 curr=102
Memory (bytes): count=0
1 nodes observed



"""
PROFILED = (
    NEW
    + _INITIALIZATION
    + """INFO: Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
\t             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t                 CONV_2D\t    4.269\t    4.112\t 32.000%\t 32.000%\t     0.000\t        1\t[net/conv, first:0]:0
\t              mobile_bnn\t    2.150\t    2.050\t 16.000%\t 48.000%\t     0.000\t        1\t[net/add]:17
\t         Add (ND, QU8)\t    0.051\t    0.050\t  1.000%\t 49.000%\t     0.000\t        1\tDelegate/Add (ND, QU8):3
\t   TfLiteXNNPackDelegate\t    6.107\t    6.001\t 51.000%\t100.000%\t     0.000\t        1\t[Identity]:18

============================== Top by Computation Time ==============================
\t             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t   TfLiteXNNPackDelegate\t    6.107\t    6.001\t 51.000%\t 51.000%\t     0.000\t        1\t[Identity]:18
\t                 CONV_2D\t    4.269\t    4.112\t 32.000%\t 83.000%\t     0.000\t        1\t[net/conv, first:0]:0

Number of nodes executed: 4
============================== Summary by node type ==============================
\t             [Node type]\t  [count]\t  [avg ms]\t    [avg %]\t    [cdf %]\t  [mem KB]\t[times called]
\t   TfLiteXNNPackDelegate\t        1\t     6.001\t    51.000%\t    51.000%\t     0.000\t        1
\t                 CONV_2D\t        1\t     4.112\t    32.000%\t    83.000%\t     0.000\t        1

Timings (microseconds): count=76 first=12577 curr=12213 min=12000 max=12577 avg=12213 std=9
Memory (bytes): count=0
4 nodes observed
"""
)
PROFILED_OLD = (
    OLD
    + """Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
\t             [node type]\t  [start]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t                 CONV_2D\t    0.000\t    4.269\t    4.269\t 66.000%\t 66.000%\t     0.000\t        1\t[Relu6]
\t              LceBconv2d\t    4.270\t    2.150\t    2.250\t 34.000%\t100.000%\t     0.000\t        1\t[bconv]

Timings (microseconds): count=110 first=6519 curr=6519 min=6519 max=6520 avg=6519 std=1
"""
)


def request(engine: str = "benchmark_model", kernel: str = "delegate", **fields: object) -> Request:
    asked = {"path": "/m", "threads": 2, "runs": 50, "max_seconds": 30.0, "min_seconds": 1.0}
    return Request.model_validate({"engine": engine, "kernel": kernel, **asked, **fields})


def test_the_new_format() -> None:
    printed = read_output(NEW)
    assert (printed.init_ms, printed.first_ms, printed.operators) == (6.279, 18.072, ())
    assert printed.warmup is not None
    assert printed.warmup.runs == 38
    assert printed.inference is not None
    told = printed.inference.model_dump()
    assert told == pytest.approx(
        {
            "runs": 76, "mean_ms": 13.1741, "min_ms": 13.054, "max_ms": 13.391, "std_ms": 0.066,
            "p5_ms": 13.068, "median_ms": 13.176, "p95_ms": 13.274,
        }
    )  # fmt: skip
    assert printed.memory_bytes == round(20.5 * 2**20)  # the peak, where the tool watches it


def test_an_old_format_has_no_percentiles() -> None:
    printed = read_output(OLD)
    assert printed.inference is not None
    assert (printed.inference.mean_ms, printed.inference.max_ms) == (8.68033, 10.688)
    assert (printed.inference.median_ms, printed.inference.p95_ms) == (None, None)
    assert (printed.init_ms, printed.first_ms) == (1451.507, 11.147)
    assert printed.memory_bytes == round(64.5 * 2**20)


def test_the_oldest_format_tells_the_first_run_in_its_warm_up() -> None:
    printed = read_output(OLDEST)
    assert printed.inference is not None
    assert (printed.init_ms, printed.first_ms, printed.memory_bytes) == (2.491, 0.352, 0)
    assert (printed.inference.runs, printed.inference.mean_ms, printed.inference.median_ms) == (50, 0.178, 0.178)


def test_operators_of_the_inferences_and_not_of_the_initialization() -> None:
    printed = read_output(PROFILED)
    found = operator_latencies(printed.operators)
    assert [(each.operator, each.name, each.layer, each.median_ms, each.runs_in) for each in found] == [
        (0, "CONV_2D", "net/conv, first:0", 4.112, "litert"),
        (17, "mobile_bnn", "net/add", 2.05, "delegate"),
        (3, "Add (ND, QU8)", "Delegate/Add (ND, QU8)", 0.05, "xnnpack"),
        (18, "TfLiteXNNPackDelegate", "Identity", 6.001, "xnnpack"),
    ]
    assert printed.by_type == {"TfLiteXNNPackDelegate": 6.001, "CONV_2D": 4.112}
    assert printed.inference is not None
    assert printed.inference.runs == 76  # the statistics under the table are of the operators


def test_an_old_table_has_a_column_more_and_no_numbers_of_nodes() -> None:
    found = operator_latencies(read_output(PROFILED_OLD).operators)
    assert [(each.operator, each.name, each.layer, each.median_ms, each.runs_in) for each in found] == [
        (0, "CONV_2D", "Relu6", 4.269, "litert"),
        (1, "LceBconv2d", "bconv", 2.25, "delegate"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has no statistics of its runs"),
        (
            "INFO: STARTING!\nERROR: Could not open '/m'.\nFailed to initialize session\n",
            "Failed to initialize session",
        ),
        (NEW.partition("INFO: count=38 first")[0], "it has no statistics of its runs"),
        ("Initialized session in 1ms\ncount=5 first=1 curr=2 min=1 max=2 avg=1.5", "it has no statistics of its runs"),
        ("Initialized session in 1ms\ncount=0", "it has no statistics of its runs"),
        ("count=5 first=1 curr=2 min=1 max=2 avg=1.5 std=0", "it does not tell how long it loads"),
        (
            PROFILED.replace("    4.112\t", "       x\t"),
            r"a row of its table of operators is malformed: CONV_2D \| 4.269",
        ),
    ],
)
def test_output_that_is_cut_off_or_malformed(text: str, why: str) -> None:
    with pytest.raises(MobileBnnError, match=f"the output of the benchmark tool cannot be read: {why}"):
        read_output(text)


def test_the_command_of_a_request() -> None:
    words = command("/t", request(), "/lib.so")
    assert words[:2] == ["/t", "--graph=/m"]
    asked = {"--num_threads=2", "--num_runs=50", "--min_secs=1.0", "--max_secs=30.0", "--warmup_runs=1"}
    assert asked <= set(words)
    assert {"--external_delegate_path=/lib.so", "--external_delegate_options=num_threads:2"} <= set(words)
    assert "--enable_op_profiling=true" not in words
    plain = command("/t", request(kernel="plain", warmup=0), "/lib.so", operators=True)
    assert {"--use_xnnpack=false", "--warmup_runs=1", "--warmup_min_secs=0", "--enable_op_profiling=true"} <= set(plain)
    assert not any("delegate" in word for word in plain)
    lce = command("/t", request("lce_benchmark_model", "indirect_bgemm"), "/lib.so")
    assert "--use_indirect_bgemm=true" in lce
    assert not any("delegate" in word for word in lce)


def test_latencies_first_then_operators_with_and_without_xnnpack() -> None:
    ran: list[list[str]] = []

    def execute(words: object, limit_s: float) -> str:
        assert isinstance(words, list)
        ran.append(words)
        return PROFILED if "--enable_op_profiling=true" in words else NEW

    figures = measure("/t", request(cpus=[4, 5]), "/lib.so", "abc", 9, execute)
    assert [words[:3] for words in ran] == [["taskset", "30", "/t"]] * 3
    assert [sum(word.startswith(("--enable_op", "--use_xnnpack=false")) for word in words) for words in ran] == [
        0,
        1,
        2,
    ]
    assert figures.statistics == read_output(NEW).inference
    assert (figures.latencies_ms, figures.file_sha256, figures.warmup_runs) == ([], "abc", 38)
    assert len(figures.operator_times) == len(figures.operator_times_plain) == 4


def test_programs_are_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for tool in TOOLS.values():
        monkeypatch.delenv(tool.variable, raising=False)
    assert tools_from_environment() == {}
    monkeypatch.setenv("MBNN_LCE_BENCHMARK_MODEL", __file__)
    (found,) = tools_from_environment().items()
    info = engine_info(*found)
    assert (info.name, info.kernels, info.further_kernels) == (
        "lce_benchmark_model", ("bgemm", "indirect_bgemm"), ("reference",),
    )  # fmt: skip
    monkeypatch.setenv("MBNN_BENCHMARK_MODEL", "/nowhere")
    with pytest.raises(UsageError, match="there is no file /nowhere: MBNN_BENCHMARK_MODEL names it"):
        tools_from_environment()
