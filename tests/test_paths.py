"""Paths may be given as str to every public function; where a model is expected, one that lies there is read."""

import importlib
import inspect
import pkgutil
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mobile_bnn import converters, data, pipeline, profiling, records, report, run_folder, runtime, training
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.source import load_model
from mobile_bnn.converters.storage import weights_file
from mobile_bnn.converters.verification import agreement
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasModel, KerasTensor
from tests.support.shared import Once

SAMPLES = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 32)).astype(np.float32)
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}


def network() -> KerasModel:
    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    conv = larq.layers.QuantConv2D(32, 3, name="conv", **SIGN)
    return tf.keras.Sequential([layers.Input((8, 8, 32)), conv, layers.Flatten(), layers.Dense(10, name="head")])


class Plain(tf.Module):  # type: ignore[misc]
    """The same without Keras."""

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 32))])  # type: ignore[untyped-decorator]
    def __call__(self, x: KerasTensor) -> KerasTensor:
        generator = np.random.default_rng(0)
        signs = tf.constant(np.sign(generator.normal(size=(3, 3, 32, 32))), tf.float32)
        matrix = tf.constant(generator.normal(size=(1152, 10)), tf.float32)
        return tf.matmul(tf.reshape(tf.nn.conv2d(larq.math.sign(x), signs, 1, "VALID"), (1, -1)), matrix)


def make(folder: Path) -> None:
    """A model in every form in which one may lie somewhere, and what is made of it."""
    model = network()
    for name in ("m.keras", "m.h5", "saved"):
        model.save(folder / name)
    tf.saved_model.save(Plain(), str(folder / "plain"))
    converters.convert_float(model, folder / "float.tflite")
    converters.convert(model, folder / "binary.tflite")
    run = run_folder.RunFolder(folder / "run")
    training.Recipe.of_zoo("binary_lenet", dataset="digits", epochs=1).write(run.recipe)
    shutil.copy(folder / "m.keras", run.model)
    shutil.copy(folder / "binary.tflite", run.tflite)
    runtime.operator_table(run.tflite).save(run.operators)


@pytest.fixture(scope="module")
def made(once: Once) -> Path:
    with np.errstate(all="ignore"):
        return once("paths", make)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "here")


BATCHES = [(SAMPLES, np.zeros(4, int))]
Form = Callable[[Path], object]
# By the name of the public function: what calls it with paths of a form.
CALLS: dict[str, Callable[[Path, Form], object]] = {
    "converters.convert": lambda here, at: converters.convert(at(here / "m.keras"), at(here / "new.tflite")),
    "converters.convert_float": lambda here, at: converters.convert_float(at(here / "m.h5"), at(here / "new.tflite")),
    "converters.lint": lambda here, at: converters.lint(at(here / "float.tflite")),
    "converters.verify": lambda here, at: converters.verify(
        at(here / "m.keras"), at(here / "binary.tflite"), BATCHES, dataset="noise"
    ),
    "converters.compare_with_larq": lambda here, at: converters.compare_with_larq(
        at(here / "m.keras"), at(here / "binary.tflite")
    ),
    "converters.load_model": lambda here, at: converters.load_model(at(here / "m.keras")),
    "converters.Source.load": lambda here, at: converters.Source.load(at(here / "m.keras")),
    "converters.Source.of": lambda here, at: converters.Source.of(at(here / "float.tflite")),
    "converters.Source.of_tflite": lambda here, at: converters.Source.of_tflite(at(here / "float.tflite")),
    "converters.agreement": lambda here, at: agreement.agreement(
        at(here / "float.tflite"), at(here / "binary.tflite"), [SAMPLES]
    ),
    "converters.TfliteModel.read": lambda here, at: TfliteModel.read(at(here / "float.tflite")),
    "converters.weights_file": lambda here, at: (
        weights_file.write_weights(at(here / "w.npz"), weights_file.collect_weights(at(here / "binary.tflite"))),
        weights_file.read_weights(at(here / "w.npz")),
    ),
    "runtime.Interpreter": lambda here, at: runtime.Interpreter(at(here / "binary.tflite")).close(),
    "runtime.read_metadata": lambda here, at: runtime.read_metadata(at(here / "binary.tflite")),
    "runtime.read_model": lambda here, at: runtime.read_model(at(here / "binary.tflite")),
    "runtime.graph_sha256": lambda here, at: runtime.graph_sha256(at(here / "binary.tflite")),
    "runtime.operator_table": lambda here, at: runtime.operator_table(at(here / "binary.tflite")),
    "profiling.jobs_for": lambda here, at: profiling.profile(
        profiling.jobs_for(at(here / "float.tflite"), ["litert:xnnpack"]), runs=3, warmup=0, threads=[1]
    ),
    "profiling.Job": lambda here, at: profiling.profile(
        [profiling.Job("litert", "xnnpack", at(here / "float.tflite"))], runs=3, warmup=0, threads=[1]
    ),
    "pipeline.convert": lambda here, at: pipeline.convert(at(here / "m.h5"), output=at(here / "new.tflite")),
    "pipeline.profile": lambda here, at: pipeline.profile(
        at(here / "float.tflite"), engines=["litert"], threads=[1], runs=3, warmup=0
    ),
    "pipeline.report": lambda here, at: pipeline.report(at(here / "run")).write(at(here / "page.html")),
    "report.write_html": lambda here, at: report.write_html(at(here / "run"), at(here / "page.html")),
    "report.summary": lambda here, at: report.summary(at(here / "run")),
    "report.everything": lambda here, at: report.everything(at(here / "run" / "model.tflite")),
    "report.as_json": lambda here, at: report.as_json(at(here / "run")),
    "records.Record": lambda here, at: records.Operators.load(at(here / "run" / "operators.json")).save(
        at(here / "o.json")
    ),
    "run_folder.RunFolder.optional": lambda here, at: run_folder.RunFolder(at(here / "run")).optional(
        records.Operators, at(here / "run" / "operators.json")
    ),
    "training.Recipe": lambda here, at: training.Recipe.read(at(here / "run" / "recipe.toml")).write(at(here / "r")),
    "data.load": lambda here, at: data.load("digits", data_dir=at(here)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_a_path_may_be_a_str(made: Path, tmp_path: Path, call: Callable[[Path, Form], object]) -> None:
    """It gives what a Path gives, and leaves the same files."""
    forms: dict[str, Form] = {"str": str, "Path": Path}
    results = [call(shutil.copytree(made, tmp_path / name), form) for name, form in forms.items()]
    assert type(results[0]) is type(results[1])
    files = [sorted(str(p.relative_to(tmp_path / name)) for p in (tmp_path / name).rglob("*")) for name in forms]
    assert files[0] == files[1]


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Functions and methods without an underscore that a module itself defines."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value):
            methods = ((key, getattr(value, key)) for key in vars(value) if not key.startswith("_"))
            yield from ((f"{name}.{key}", method) for key, method in methods if inspect.isroutine(method))


def test_no_public_function_promises_less() -> None:
    """By its annotations: what takes a Path, or a run, takes a str too. Where nothing is public, Path is enough."""
    narrow = []
    for package in (converters, pipeline, profiling, report, runtime, records, run_folder, training, data):
        names = [each.name for each in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{package.__name__}.")]
        homes = [package, *(importlib.import_module(name) for name in names)]
        exported = {id(getattr(package, name)) for name in getattr(package, "__all__", vars(package))}
        for home in homes:
            for name, function in public(home):
                if id(function) not in exported and id(vars(home).get(name.partition(".")[0])) not in exported:
                    continue
                annotated = inspect.signature(function).parameters.values()
                kinds = [str(each.annotation) for each in annotated]
                narrow += [f"{home.__name__}.{name}: {kind}" for kind in kinds if is_narrow(kind)]
    assert narrow == []


def is_narrow(annotation: str) -> bool:
    return ("Path" in annotation or "RunFolder" in annotation) and "str" not in annotation


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "saved", "plain", "float.tflite", "run"])
def test_a_path_where_a_model_is_expected_is_read(made: Path, tmp_path: Path, name: str) -> None:
    keras = name not in ("plain", "float.tflite")
    assert [row.converted_to for row in converters.lint(str(made / name))] == ["binary", "float"]
    made_file = converters.convert(str(made / name), str(tmp_path / "new.tflite"))
    assert [check.layer for check in made_file.layers] == (["conv"] if keras else [made_file.layers[0].layer])
    assert made_file.path == tmp_path / "new.tflite"
    if keras:
        verified = converters.verify(str(made / name), str(tmp_path / "new.tflite"), BATCHES, dataset="noise")
        assert verified.agreement == 1
        assert converters.compare_with_larq(str(made / name), made_file.operators).file_binary_macs > 0
        assert converters.convert_float(str(made / name), str(tmp_path / "f.tflite")).stat().st_size > 20_000
        return
    for refused in (
        lambda: converters.verify(str(made / name), str(tmp_path / "new.tflite"), BATCHES, dataset="noise"),
        lambda: converters.convert_float(str(made / name), str(tmp_path / "f.tflite")),
        lambda: converters.compare_with_larq(str(made / name), made_file.operators),
    ):
        with pytest.raises(MobileBnnError, match="Keras model"):
            refused()


def test_a_file_in_memory_is_one_too(made: Path, tmp_path: Path) -> None:
    flatbuffer = (made / "float.tflite").read_bytes()
    assert [row.converted_to for row in converters.lint(flatbuffer)] == ["binary", "float"]
    converters.convert(flatbuffer, tmp_path / "m.tflite")


def test_what_is_not_there_is_said_of_a_str_too(tmp_path: Path) -> None:
    for call in (
        lambda path: converters.convert(path, str(tmp_path / "m.tflite")),
        converters.lint,
        load_model,
        weights_file.collect_weights,
        weights_file.read_weights,
        runtime.operator_table,
        report.summary,
        records.Operators.load,
    ):
        with pytest.raises(UsageError, match=r"there is no .*nowhere"):
            call(str(tmp_path / "nowhere"))
    (tmp_path / "recipe.toml").touch()
    with pytest.raises(UsageError, match=r"holds no trained model\. mbnn train --resume --run .* ends its training"):
        converters.lint(str(tmp_path))
