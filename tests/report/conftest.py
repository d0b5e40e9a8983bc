"""A run folder with every record, as a small network on the digits leaves it; some names in it are hostile."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import pytest

from mobile_bnn.profile_records import Machine, Measurement, OperatorLatency, Profile
from mobile_bnn.records import Epoch, History, LayerCheck, Operator, Operators, Pair, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import ModelMetadata, Normalization, graph_sha256, with_metadata

HOSTILE = "<script>alert(1)</script>"
TERMINAL_ESCAPE = "conv\x1b[31m[red]"

TIMES = [
    OperatorLatency(operator=0, name="LceQuantize", layer="tiny/conv_1/quantize", median_ms=0.01),
    OperatorLatency(operator=1, name="LceBconv2d+ADD", layer="<b>conv_1</b>;tiny/add", median_ms=0.05),
]

RECIPE = """
zoo = "binary_lenet"
method = "bnn"
dataset = "digits"
epochs = 12
batch_size = 64
augment = true
step_epochs = [6, 9]
"""


@pytest.fixture
def history() -> History:
    """Twelve epochs; the second one's validation loss is not a number."""
    epochs = []
    for number in range(1, 13):
        fall = math.exp(-number / 3)
        metrics = {
            "loss": 0.08 + 1.9 * fall,
            "accuracy": 0.99 - 0.6 * fall,
            "val_loss": math.nan if number == 2 else 0.14 + 1.7 * fall,
            "val_accuracy": 0.975 - 0.5 * fall,
            "flip_ratio": 0.02 * fall,
            "flip_ratio/conv_2": 0.03 * fall,
            f"flip_ratio/{HOSTILE}": 0.01 * fall,
            "val_flip_ratio/conv_2": 0.0,
        }
        rate = 0.0005 * (1 + math.cos(math.pi * (number - 1) / 12))
        epochs.append(Epoch(epoch=number, seconds=1.7, learning_rate=rate, metrics=metrics))
    return History(epochs=epochs)


@pytest.fixture
def verification() -> Verification:
    """The file loses one of 360 images; of three flips, one is more than rounding explains."""
    layers = [
        LayerCheck(layer="conv_2", operator=2, bits=2_097_152, flips=2, ties=2),
        LayerCheck(layer=HOSTILE, operator=5, bits=589_824, flips=1, ties=0),
        LayerCheck(layer=TERMINAL_ESCAPE, operator=7, bits=65_536, flips=0, ties=0),
    ]
    return Verification(
        dataset="digits",
        split="test",
        samples=360,
        headline="top-1",
        metrics={"top-1": Pair(keras=352 / 360, tflite=351 / 360)},
        agreement=359 / 360,
        largest_difference=3.1e-6,
        layers=layers,
        layer_samples=64,
    )


@pytest.fixture
def operators() -> Operators:
    """Nine operators, three of them binary."""
    rows = [
        ("CONV_2D", "conv_1", False, [1, 8, 8, 32], "float32", 0, 18_432, 1_280, 8_192),
        ("LceQuantize", "quantize_1", True, [1, 8, 8, 1], "int32", 0, 0, 0, 256),
        ("LceBconv2d", "conv_2", True, [1, 8, 8, 64], "float32", 1_179_648, 0, 2_816, 16_384),
        ("MAX_POOL_2D", "pool", False, [1, 4, 4, 64], "float32", 0, 0, 0, 4_096),
        ("LceQuantize", "quantize_2", True, [1, 4, 4, 2], "int32", 0, 0, 0, 128),
        ("LceBconv2d", HOSTILE, True, [1, 4, 4, 64], "float32", 589_824, 0, 5_120, 4_096),
        ("MEAN", "a_name_that_a_converter_made/from_many_scopes/and_then_some;of_another/tensor", False, [1, 64],
         "float32", 0, 0, 0, 256),
        ("FULLY_CONNECTED", TERMINAL_ESCAPE, False, [1, 10], "float32", 0, 640, 2_600, 40),
        ("SOFTMAX", "classes", False, [1, 10], "float32", 0, 0, 0, 40),
    ]  # fmt: skip
    names = ("name", "layer", "binary", "output_shape", "output_type", "binary_macs", "float_macs", "weight_bytes")
    table = [
        Operator(index=index, **dict(zip((*names, "output_bytes"), row, strict=True))) for index, row in enumerate(rows)
    ]
    stayed_float = {"dense_1": "LCE has no binary operator for QuantDense", HOSTILE: HOSTILE}
    return Operators(file_bytes=21_480, operators=table, float_layers=stayed_float)


@pytest.fixture
def measure() -> Callable[..., Measurement]:
    """Makes a measurement of 200 seeded runs around a latency in ms."""

    def make(engine: str, kernel: str, threads: int, around_ms: float, file: str, sha: str = "0" * 64) -> Measurement:
        spread = random.Random(f"{engine}{kernel}{threads}{file}")
        runs = [around_ms * (1 + spread.expovariate(12)) for _ in range(200)]
        percentiles = quantiles(runs, n=100)
        return Measurement(
            engine=engine,
            engine_version="0.16.0" if engine == "lce" else "2.1.0",
            kernel=kernel,
            threads=threads,
            file=f"runs/demo/{file}",
            file_bytes=21_480,
            file_sha256=sha,
            warmup_runs=10,
            latencies_ms=runs,
            median_ms=median(runs),
            p90_ms=percentiles[89],
            p99_ms=percentiles[98],
            min_ms=min(runs),
            load_ms=4.2,
            peak_memory_bytes=61_300_000,
        )

    return make


@pytest.fixture
def profile(measure: Callable[..., Measurement]) -> Profile:
    """LCE's two kernels and float LiteRT at one and two threads; binary is the slower one, as LCE on x86 is."""
    measurements = [
        measure(engine, kernel, threads, latency, file)
        for engine, kernel, file, latencies in (
            ("lce", "bgemm", "model.tflite", (0.31, 0.22)),
            ("lce", "indirect_bgemm", "model.tflite", (0.112, 0.094)),
            ("litert", "xnnpack", "model_float.tflite", (0.041, 0.047)),
        )
        for threads, latency in enumerate(latencies, start=1)
    ]
    machine = Machine(
        system="Linux 6.1 (Debian GNU/Linux 12)",
        cpu="AMD EPYC 9B14",
        architecture="x86_64",
        logical_cores=2,
        memory_bytes=8_203_000_000,
        governor="unknown",
        flags=["sse4_2", "popcnt", "avx2", "avx512_vpopcntdq"],
        load_1min=0.42,
        python="3.11.2",
    )
    return Profile(target="local", machine=machine, measurements=measurements)


@pytest.fixture
def empty_run(tmp_path: Path) -> RunFolder:
    """A run folder with nothing in it."""
    run = RunFolder(tmp_path / "demo")
    run.path.mkdir()
    return run


@pytest.fixture
def recorded_run(
    empty_run: RunFolder, history: History, verification: Verification, operators: Operators, profile: Profile
) -> RunFolder:
    """A run folder with every record, and the recipe."""
    empty_run.recipe.write_text(RECIPE + f'note = "{HOSTILE}"\n', encoding="utf-8")
    history.save(empty_run.history)
    verification.save(empty_run.verification)
    operators.save(empty_run.operators)
    profile.save(empty_run.profile())
    return empty_run


@pytest.fixture
def real_file_run(
    recorded_run: RunFolder,
    binary_tflite: Path,
    float_tflite: Path,
    operators: Operators,
    profile: Profile,
    verification: Verification,
) -> RunFolder:
    """The same with real .tflite files, metadata in one; the records are of these."""
    metadata = ModelMetadata(
        zoo_model="binary_lenet",
        method="bnn",
        dataset="digits",
        input_shape=(8, 8, 1),
        normalization=Normalization(mean=[127.5], std=[127.5]),
        binary_macs=operators.total("binary_macs"),
        float_macs=operators.total("float_macs"),
        versions={"larq": "0.14.0", "tensorflow": "2.21.0"},
    )
    recorded_run.tflite.write_bytes(with_metadata(binary_tflite.read_bytes(), metadata))
    recorded_run.float_tflite.write_bytes(float_tflite.read_bytes())
    graphs = {path.name: graph_sha256(path) for path in (recorded_run.tflite, recorded_run.float_tflite)}
    measurements = [
        measured.model_copy(update={"graph_sha256": graphs[Path(measured.file).name]})
        for measured in profile.measurements
    ]
    profile.model_copy(update={"measurements": measurements}).save(recorded_run.profile())
    of_file = {"graph_sha256": graphs[recorded_run.tflite.name]}
    operators.model_copy(update=of_file | {"file_bytes": recorded_run.tflite.stat().st_size}).save(
        recorded_run.operators
    )
    verification.model_copy(update=of_file).save(recorded_run.verification)
    return recorded_run


@pytest.fixture
def timed_run(real_file_run: RunFolder) -> RunFolder:
    """Its delegate takes 0.08 ms, of which the library tells 0.06; and it is slower with two threads."""
    profile = Profile.load(real_file_run.profile())
    slower, faster = (
        each.model_copy(update={"engine": "delegate", "kernel": "avx2-6x64", "median_ms": ms, "operator_times": TIMES})
        for each, ms in zip(profile.measurements[:2], (0.3, 0.08), strict=True)
    )
    told = [slower, faster, *profile.measurements[2:]]
    profile.model_copy(update={"measurements": told}).save(real_file_run.profile())
    return real_file_run
