"""What can be converted: Keras models, SavedModels and anybody's float .tflite, as float graphs."""

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.input_shapes import InputShape, fix_tflite
from mobile_bnn.converters.lowering import LINEAR, Lowering, lower_model
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.literal_path import literal_path
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import read_flatbuffer
from mobile_bnn.runtime.describe import tensor_type
from mobile_bnn.typing import KerasModel

_FLOAT_FILE = "Give the float model that it was made from"


@dataclass(frozen=True)
class Source:
    """A model that is to be converted. Nothing that is done with it alters it.

    Attributes:
        model: the float graph.
        quantized: names of the weights that a Keras layer quantizes, and whether it quantizes its input too.
        keras: the Keras model, None if there is none.
        sha256: of the file that it was read from; empty for a folder, and for what was never a file.
    """

    model: TfliteModel
    quantized: Mapping[str, bool] = field(default_factory=dict)
    keras: KerasModel = None
    sha256: str = ""

    @classmethod
    def of(cls, model: Any, batch_size: int | None = 1, input_shape: InputShape | None = None) -> "Source":
        """A source as it is, whatever lies at a path, the bytes of a float .tflite, or a Keras model.

        Args:
            model: any of them.
            batch_size: as for `load`.
            input_shape: as for `load`; of no meaning for a source.

        Raises:
            UsageError: there is nothing at that path.
            MobileBnnError: it cannot be read or exported.
        """
        if isinstance(model, cls):
            return model
        if isinstance(model, bytes):
            return cls.of_tflite(model, input_shape)
        if is_path(model):
            return cls.load(model, batch_size, input_shape=input_shape)
        return cls.of_keras(model, batch_size, input_shape)

    @classmethod
    def of_keras(cls, model: KerasModel, batch_size: int | None = 1, input_shape: InputShape | None = None) -> "Source":
        """Exports a Keras model; loads TensorFlow.

        Args:
            model: the model.
            batch_size: of the graph; None leaves it open.
            input_shape: of inputs of open sizes, as for `load`.

        Raises:
            UsageError: `input_shape` does not fit the model.
            MobileBnnError: it cannot be exported.
        """
        from mobile_bnn.converters.keras.errors import check_model
        from mobile_bnn.converters.keras.export import export, quantized_weights, with_input_shape, with_known_inputs
        from mobile_bnn.converters.keras.layers import binary_layers

        model = with_known_inputs(model)
        if input_shape is not None:
            model = with_input_shape(model, input_shape)
        check_model(model)
        declared = {layer.name for layer in binary_layers(model)}
        # What the pointwise half of a separable layer reads, its depthwise half computes: no quantizer is in between.
        names = {
            f"{weight.layer}/{weight.name}": weight.layer in declared and weight.name != "pointwise_kernel"
            for weight in quantized_weights(model)
        }
        return cls(export(model, batch_size), names, model)

    @classmethod
    def load(
        cls,
        path: Path | str,
        batch_size: int | None = 1,
        imports: Iterable[Path | str] = (),
        input_shape: InputShape | None = None,
    ) -> "Source":
        """Reads a .tflite, a Keras model, a SavedModel or a run folder, which means its trained Keras model.

        Args:
            path: of a file or folder.
            batch_size: of the graph, where the file leaves it open; None leaves it open.
            imports: Python files with layers of one's own, which are run before a Keras model is read.
            input_shape: without the batch, where the file leaves sizes open; for several inputs by their names.

        Raises:
            UsageError: there is nothing at that path, `input_shape` does not fit the inputs, or what needs no imports
                has been given some.
            MobileBnnError: it cannot be read or exported.
        """
        path, imports = model_path(path), tuple(imports)
        is_tflite = path.suffix == ".tflite"
        if not is_tflite and not path.exists():
            raise UsageError(f"there is no model {path}")
        if not is_tflite and not _is_saved_model_without_keras(path):
            return cls._load_keras(path, batch_size, imports, input_shape)
        if imports:
            why = "it has operators instead of layers of Keras"
            raise UsageError(f"{path} needs no imports", why=why, cure="Leave them out")
        if is_tflite:
            return cls.of_tflite(path, input_shape)
        from mobile_bnn.converters.keras.export import export_saved_model

        return cls(export_saved_model(path, input_shape))

    @classmethod
    def _load_keras(
        cls, path: Path, batch_size: int | None, imports: tuple[Path | str, ...], input_shape: InputShape | None
    ) -> "Source":
        source = cls.of_keras(load_model(path, imports), batch_size, input_shape)
        return replace(source, sha256=sha256(path) if path.is_file() else "")

    @classmethod
    def of_tflite(cls, file: Path | str | bytes, input_shape: InputShape | None = None) -> "Source":
        """Reads a float .tflite, with its constants folded.

        Args:
            file: the file, or its bytes.
            input_shape: of inputs of open sizes, as for `load`.

        Raises:
            UsageError: there is no such file, or `input_shape` does not fit its inputs.
            MobileBnnError: it is damaged, binary or quantized already, or has operators that LiteRT has not.
        """
        from mobile_bnn.converters.graph.fold_constants import fold_model

        flatbuffer = read_flatbuffer(file)
        model = TfliteModel.read(flatbuffer if input_shape is None else fix_tflite(flatbuffer, input_shape))
        kinds = {operator.op_type for graph in model.graphs for operator in graph.operators}
        if done := sorted(kind for kind in kinds if kind.startswith("Lce")):
            raise MobileBnnError(f"the file is binary already: it has {', '.join(done)}", cure=_FLOAT_FILE)
        _check_computed(model)
        _check_custom(model)
        fold_model(model)
        _check_quantized(model)
        return cls(model, sha256="" if isinstance(file, bytes) else sha256(Path(file)))

    def lower(self) -> tuple[TfliteModel, Lowering]:
        """A copy of the model in which everything is binary that can be, and what became of each layer."""
        model = self.model.copy()
        return model, lower_model(model, self.quantized)


def is_path(model: object) -> bool:
    """Whether something stands for a file or folder instead of being a model itself."""
    return isinstance(model, str | os.PathLike)


def model_path(path: Path | str) -> Path:
    """The model that a path means: of a run folder, its trained Keras model.

    Raises:
        UsageError: the run's training has not ended.
    """
    path = Path(path)
    run = RunFolder(path)
    if not run.recipe.is_file() or (path / "saved_model.pb").exists():
        return path
    if not run.model.is_file():
        cure = f"mbnn train --resume --run {shlex.quote(str(path))} ends its training"
        raise UsageError(f"{path} holds no trained model", cure=cure)
    return Path(run.model)


def _is_saved_model_without_keras(path: Path) -> bool:
    return (path / "saved_model.pb").exists() and not (path / "keras_metadata.pb").exists()


def _check_quantized(model: TfliteModel) -> None:
    """Refuses a file all of whose layers compute in integers; where some do, the layers are refused one by one."""
    linear = [operator for graph in model.graphs for operator in graph.operators if operator.op_type in LINEAR]
    tensors = [[tensor for tensor in operator.inputs[:2] if tensor is not None] for operator in linear]
    quantized = [next((tensor for tensor in own if tensor.quantized), None) for own in tensors]
    if quantized and quantized[0] is not None and all(tensor is not None for tensor in quantized):
        raise MobileBnnError(
            "the file is quantized already",
            why=f"its layers compute with {tensor_type(quantized[0].table)}",
            cure=_FLOAT_FILE,
        )


def _check_computed(model: TfliteModel) -> None:
    """Refuses a file whose operators read what nothing computes: no runtime runs it (onnx2tf 2.6 writes such files)."""
    for graph in model.graphs:
        known = {id(tensor) for tensor in graph.inputs}
        known |= {id(tensor) for operator in graph.operators for tensor in operator.outputs}
        for operator in graph.operators:
            for tensor in operator.inputs:
                if tensor is None or id(tensor) in known or tensor.content is not None or tensor.table.isVariable:
                    continue
                if 0 not in tensor.shape:  # of an empty constant nothing is stored
                    why = f"{operator.op_type} reads {tensor.name}, which no operator computes"
                    cure = "Export it again, with another version of the exporter"
                    raise MobileBnnError("the file is damaged", why=why, cure=cure)


def _check_custom(model: TfliteModel) -> None:
    """Refuses operators that LiteRT has not: what stands beside them could not be compared, nor constants folded."""
    operators = [operator for graph in model.graphs for operator in graph.operators]
    custom = dict.fromkeys(o.op_type for o in operators if o.code.builtinCode == schema.BuiltinOperator.CUSTOM)
    if not custom:
        return
    try:
        FileRunner(model.write(), delegates=False)
    except MobileBnnError as error:
        raise MobileBnnError(
            f"the file uses custom operators that LiteRT lacks: {', '.join(custom)}",
            why=error.why.partition(". ")[0].removesuffix("."),
            cure="Export the model without what they compute",
        ) from error


def load_model(path: Path | str, imports: Iterable[Path | str] = ()) -> Any:
    """A Keras model from a file or folder: `.keras`, `.h5`, a Keras SavedModel or a run folder; not compiled.

    Args:
        path: of the file or folder.
        imports: Python files with layers of one's own, which are run first.

    Raises:
        UsageError: there is nothing at that path.
        MobileBnnError: Keras cannot read it, or a file of `imports` cannot be run.
    """
    path = model_path(path)
    if not path.exists():
        raise UsageError(f"there is no Keras model {path}")
    from mobile_bnn.converters.keras.custom_objects import import_files, import_methods
    from mobile_bnn.converters.keras.errors import loading_error
    from mobile_bnn.legacy_keras import tf

    imports = tuple(imports)
    import_methods()
    custom_objects = import_files(imports)
    try:
        with literal_path(path) as readable:
            model = tf.keras.models.load_model(readable, custom_objects, compile=False)
    except Exception as error:  # Keras raises whatever the broken part of a file leads to
        raise loading_error(path, error, imports, custom_objects) from error
    if not isinstance(model, tf.keras.Model):
        raise MobileBnnError(f"{path} is a SavedModel without its Keras model", cure="Save it with Keras as .keras")
    return model


def keras_model(model: KerasModel | Path | str) -> KerasModel:
    """A Keras model as it is, that of a source, or the one at a path.

    Raises:
        UsageError: there is nothing at that path, or it holds no Keras model.
        MobileBnnError: Keras cannot read it.
    """
    if isinstance(model, Source):
        if model.keras is None:
            raise UsageError("the source has no Keras model", cure="Give the Keras model that it was made from")
        return model.keras
    if not is_path(model):
        return model
    if Path(model).suffix == ".tflite":
        raise UsageError(f"{model} is not a Keras model", cure="Give the Keras model that it was made from")
    return load_model(model)
