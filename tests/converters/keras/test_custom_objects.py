"""Layers of one's own: a model that has some is read with the Python file that defines them, and not without."""

import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import converters
from mobile_bnn.cli.main import app
from mobile_bnn.converters.keras.custom_objects import import_file
from mobile_bnn.converters.source import Source, load_model
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasModel

# Written where a model is made, and again where it is read: a process of the command line knows none of it.
LAYERS = """
import larq
import tensorflow as tf
from beside import FACTOR

print("printed while it is imported")

class Scale(tf.keras.layers.Layer):
    def call(self, x):
        from beside import late
        return x * late(FACTOR)

@tf.keras.utils.register_keras_serializable("mine")
class Shift(tf.keras.layers.Layer):
    def __init__(self, by=0.5, **options):
        super().__init__(**options)
        self.by = by
    def call(self, x):
        return x + self.by
    def get_config(self):
        return {**super().get_config(), "by": self.by}

def sign(x):
    return tf.where(x >= 0, 1.0, -1.0)

class OwnSign(larq.quantizers.Quantizer):
    precision = 1
    def call(self, x):
        return super().call(sign(x))
"""
BESIDE = "FACTOR = 3.0\ndef late(x): return x\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the user's files. What they leave in the process is removed after each test."""
    (tmp_path / "my_layers.py").write_text(LAYERS)
    (tmp_path / "beside.py").write_text(BESIDE)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("my_layers", "beside"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, name, sys)  # so that it is removed at the end
        monkeypatch.delitem(sys.modules, name)
    known = tf.keras.utils.get_custom_objects()
    before = dict(known)
    yield tmp_path
    known.clear()
    known.update(before)


def saved(folder: Path, name: str) -> Path:
    """A model with all that the file defines."""
    own = import_file(folder / "my_layers.py")
    tf.keras.utils.set_random_seed(1)
    conv = {"kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Input((6, 6, 32)),
            own["Scale"](name="scale"),
            own["Shift"](0.25, name="shift"),
            larq.layers.QuantConv2D(8, 3, input_quantizer=own["OwnSign"](), name="conv", **conv),
        ]
    )
    model.save(folder / name)
    forget(folder)
    return folder / name


def forget(folder: Path) -> None:
    """Makes this process one that has never seen the file."""
    for name in ("my_layers", "beside"):
        sys.modules.pop(name, None)
    tf.keras.utils.get_custom_objects().pop("mine>Shift", None)
    sys.path[:] = [entry for entry in sys.path if entry != str(folder.resolve())]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m"])
def test_a_file_of_layers_makes_a_model_readable(folder: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = saved(folder, name)
    capfd.readouterr()
    model = load_model(path, [folder / "my_layers.py"])
    printed = capfd.readouterr()
    assert "printed while it is imported" in printed.err
    assert printed.out == ""
    x = np.random.default_rng(0).uniform(-1, 1, (1, 6, 6, 32)).astype(np.float32)
    np.testing.assert_allclose(model.layers[1](model.layers[0](x)), x * 3 + 0.25)
    source = Source.load(str(path), imports=[str(folder / "my_layers.py")])
    assert [row.converted_to for row in converters.lint(source)] == ["binary"]
    converters.convert(source, folder / "m.tflite")


def test_without_the_file_the_message_says_what_to_give(folder: Path) -> None:
    path = saved(folder, "m.keras")
    with pytest.raises(MobileBnnError) as caught:
        load_model(path)
    assert "can be loaded: Keras does not know Scale, Shift, OwnSign. If they are your own, " in str(caught.value)
    assert "name the Python file that defines them: --import my_layers.py" in str(caught.value)
    (folder / "other.py").write_text("def nothing_of_the_kind(x): return x")
    with pytest.raises(MobileBnnError, match=r"OwnSign, and \S*other\.py does not define them\. Name the Python"):
        load_model(path, [folder / "other.py"])


def functional(layer: KerasLayer) -> KerasModel:
    image = tf.keras.layers.Input((4, 4, 4))
    return tf.keras.Model(image, layer(image))


WHERE: dict[str, Callable[[dict[str, KerasLayer]], KerasModel]] = {
    "first": lambda own: tf.keras.Sequential([tf.keras.layers.Input((4, 4, 4)), own["Scale"]()]),
    "functional": lambda own: functional(own["Scale"]()),
    "nested": lambda own: functional(tf.keras.Sequential([tf.keras.layers.Input((4, 4, 4)), own["Scale"]()])),
    "wrapped": lambda own: functional(tf.keras.layers.TimeDistributed(own["Scale"]())),
    "an activation": lambda own: functional(tf.keras.layers.Dense(2, activation=own["sign"])),
    "an input quantizer": lambda own: functional(larq.layers.QuantDense(2, input_quantizer=own["sign"])),
    "a kernel quantizer": lambda own: functional(
        larq.layers.QuantDense(2, kernel_quantizer=own["OwnSign"](), kernel_constraint="weight_clip")
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("place", WHERE)
def test_whatever_keras_does_not_know_is_named_wherever_it_stands(folder: Path, place: str) -> None:
    WHERE[place](import_file(folder / "my_layers.py")).save(folder / "m.keras")
    name = {"an activation": "sign", "an input quantizer": "sign", "a kernel quantizer": "OwnSign"}.get(place, "Scale")
    forget(folder)
    with pytest.raises(MobileBnnError, match=rf"Keras does not know {name}\. If it is your own, name the Python file"):
        load_model(folder / "m.keras")
    assert load_model(folder / "m.keras", [folder / "my_layers.py"]).layers


@pytest.mark.filterwarnings("ignore")
def test_functions_in_an_h5_are_lost(folder: Path) -> None:
    WHERE["an activation"](import_file(folder / "my_layers.py")).save(folder / "m.h5")
    with pytest.raises(MobileBnnError, match=r"a function of your own back from an \.h5\. Save the model as \.keras"):
        load_model(folder / "m.h5", [folder / "my_layers.py"])


def test_a_model_that_is_broken_otherwise_is_not_said_to_lack_a_layer(folder: Path) -> None:
    path = saved(folder, "m.keras")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[:100] if name.endswith(".weights.h5") else content)
    with pytest.raises(MobileBnnError, match="is not a Keras 2 model that can be loaded: ") as caught:
        load_model(path, [folder / "my_layers.py"])
    assert "does not know" not in str(caught.value)


def test_several_files_are_taken_together(folder: Path) -> None:
    path = saved(folder, "m.keras")
    one, two = LAYERS.split("@tf.keras.utils.register")
    (folder / "one.py").write_text(one)
    (folder / "two.py").write_text(f"import larq\nimport tensorflow as tf\n@tf.keras.utils.register{two}")
    assert load_model(path, [folder / "one.py", folder / "two.py"]).layers[0].name == "scale"


def test_a_file_is_run_once(folder: Path) -> None:
    """Run twice, its classes would be others than those of models that are there already."""
    first, again = import_file(folder / "my_layers.py"), import_file(str(folder / "my_layers.py"))
    assert first.keys() == {"Scale", "Shift", "OwnSign", "sign"}
    assert all(first[name] is again[name] for name in first)


def test_a_file_that_is_called_like_a_module_does_not_take_its_place(folder: Path) -> None:
    (folder / "json.py").write_text("import tensorflow as tf\nclass Own(tf.keras.layers.Layer): ...\n")
    assert set(import_file(folder / "json.py")) == {"Own"}
    assert sys.modules["json"] is json
    assert json.loads("[1]") == [1]


KERAS_3 = "import keras\nclass Own(keras.layers.Layer): ...\n"
BROKEN: dict[str, tuple[str | None, int, str]] = {
    "no such file": (None, 2, "there is no Python file FILE"),
    "syntax": ("x = 1\ndef f(:\n", 1, "FILE cannot be imported: line 2: invalid syntax"),
    "an exception": ("def f():\n    return 1 / 0\nf()\n", 1, "FILE cannot be imported: line 2: ZeroDivisionError: div"),
    "a missing module": ("\nimport no_such_module\n", 1, "FILE cannot be imported: line 2: ModuleNotFoundError: No"),
    "the end of the process": ("import sys\nsys.exit(3)\n", 1, "FILE cannot be imported: line 2: SystemExit: 3"),
    "not a text": ("\0\1", 1, "FILE cannot be imported: "),
    "nothing": ("x = 1\n", 1, "FILE defines no layer: it has no class of Keras and no function. It defines a subclass"),
    "imports only": ("from math import sqrt\nfrom dataclasses import dataclass\n", 1, "FILE defines no layer: it has"),
    "Keras 3": (KERAS_3, 1, "FILE defines no layer: Own belongs to Keras 3, Larq's layers to Keras 2. Take Keras from"),
}  # fmt: skip


@pytest.mark.parametrize("command", ["lint", "inspect"])
@pytest.mark.parametrize(("source", "code", "message"), BROKEN.values(), ids=list(BROKEN))
def test_a_file_that_cannot_be_imported_is_one_line(
    folder: Path, command: str, source: str | None, code: int, message: str
) -> None:
    path = folder / "own.py"
    if source is not None:
        path.write_text(source)
    tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(2)]).save(folder / "m.keras")
    options = {"lint": [str(folder / "m.keras")], "inspect": [tflite(folder), "--model", str(folder / "m.keras")]}
    ended = CliRunner().invoke(app, [command, *options[command], "--import", str(path)])
    assert ended.exit_code == code, ended.output
    assert ended.stderr.startswith(f"error: {message.replace('FILE', str(path))}")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def tflite(folder: Path) -> str:
    """Any file that can be inspected."""
    path = folder / "any.tflite"
    path.write_bytes((Path(__file__).parents[1] / "pytorch" / "reactnet.tflite").read_bytes())
    return str(path)


def test_a_directory_is_no_python_file(folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no Python file "):
        import_file(folder)


def test_the_same_mistake_is_told_again(folder: Path) -> None:
    """What failed is not taken for imported."""
    for content, message in (("x = 1\n", "defines no layer"), ("1 / 0\n", "line 1: ZeroDivisionError")):
        (folder / "own.py").write_text(content)
        for _ in range(2):
            with pytest.raises(MobileBnnError, match=message):
                import_file(folder / "own.py")


@pytest.mark.filterwarnings("ignore")
def test_lint_and_inspect_take_imports(folder: Path) -> None:
    path, imports = saved(folder, "m.keras"), ["--import", str(folder / "my_layers.py")]
    refused = CliRunner().invoke(app, ["lint", str(path)])
    assert refused.exit_code == 1
    assert "--import my_layers.py" in refused.stderr
    linted = CliRunner().invoke(app, ["lint", str(path), *imports, "--json"])
    assert linted.exit_code == 0, linted.output
    assert [layer["converted_to"] for layer in json.loads(linted.stdout)["layers"]] == ["binary"]
    inspected = CliRunner().invoke(app, ["inspect", tflite(folder), "--model", str(path), *imports, "--json"])
    assert inspected.exit_code == 0, inspected.output
    assert json.loads(inspected.stdout)["larq_summary"]["larq_binary_macs"] > 0


def test_imports_where_there_is_nothing_to_import_for(folder: Path) -> None:
    imports = ["--import", str(folder / "my_layers.py")]
    linted = CliRunner().invoke(app, ["lint", tflite(folder), *imports])
    assert linted.exit_code == 2
    assert "any.tflite needs no imports: it has operators instead of layers of Keras. Leave them out" in linted.stderr
    inspected = CliRunner().invoke(app, ["inspect", tflite(folder), *imports])
    assert inspected.exit_code == 2
    assert "is inspected without one. Give --model" in inspected.stderr


@pytest.mark.parametrize("function", [lambda x: -x, tf.nn.relu], ids=["lambda", "function"])
def test_code_in_a_keras_file_is_not_run(folder: Path, function: object) -> None:
    layers = [tf.keras.layers.Input((4,)), tf.keras.layers.Lambda(function), tf.keras.layers.Dense(2)]
    tf.keras.Sequential(layers).save(folder / "m.keras")
    with pytest.raises(MobileBnnError, match=r"a Python `lambda` inside it\. If you trust it: .*safe_mode=False"):
        load_model(folder / "m.keras")
    model = tf.keras.models.load_model(folder / "m.keras", safe_mode=False)  # what the message says
    assert [row.op_type for row in converters.lint(model)] == ["FULLY_CONNECTED"]
