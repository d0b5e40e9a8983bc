"""What can be converted: Keras models, SavedModels and anybody's float .tflite, as float graphs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph import TfliteModel
from mobile_bnn.converters.litert import FileRunner
from mobile_bnn.errors import MobileBnnError, UsageError

_FLOAT_FILE = "Give the float model that it was made from"


@dataclass(frozen=True)
class Source:
    """A model that is to be converted.

    Attributes:
        model: the float graph.
        quantized: names of the weights that a Keras layer quantizes, and whether it quantizes its input too.
        keras: the Keras model, None if there is none.
    """

    model: TfliteModel
    quantized: Mapping[str, bool] = field(default_factory=dict)
    keras: Any = None

    @classmethod
    def of_keras(cls, model: Any, batch_size: int | None = 1) -> "Source":
        """Exports a Keras model; loads TensorFlow.

        Raises:
            MobileBnnError: it cannot be exported.
        """
        from mobile_bnn.converters.export import export, quantized_weights
        from mobile_bnn.converters.keras_errors import check_model
        from mobile_bnn.converters.layers import binary_layers

        check_model(model)
        asked = {layer.name for layer in binary_layers(model)}
        # What the pointwise half of a separable layer reads, its depthwise half computes: no quantizer is in between.
        names = {
            f"{weight.layer}/{weight.name}": weight.layer in asked and weight.name != "pointwise_kernel"
            for weight in quantized_weights(model)
        }
        return cls(export(model, batch_size), names, model)

    @classmethod
    def load(cls, path: Path, batch_size: int | None = 1) -> "Source":
        """Reads a .tflite, a Keras model or a SavedModel.

        Raises:
            UsageError: there is nothing at that path.
            MobileBnnError: it cannot be read or exported.
        """
        if path.suffix == ".tflite":
            return cls.of_tflite(path)
        if not path.exists():
            raise UsageError(f"there is no model {path}")
        if path.is_dir() and (path / "saved_model.pb").exists() and not (path / "keras_metadata.pb").exists():
            from mobile_bnn.converters.export import export_saved_model

            return cls(export_saved_model(path))
        return cls.of_keras(load_model(path), batch_size)

    @classmethod
    def of_tflite(cls, file: Path | bytes) -> "Source":
        """Reads a float .tflite, with its constants folded.

        Raises:
            UsageError: there is no such file.
            MobileBnnError: it is damaged, binary already, or has operators that LiteRT has not.
        """
        from mobile_bnn.converters.fold import fold_constants

        model = TfliteModel.read(file)
        kinds = {operator.kind for graph in model.graphs for operator in graph.operators}
        if done := sorted(kind for kind in kinds if kind.startswith("Lce")):
            raise MobileBnnError(f"the file is binary already: it has {', '.join(done)}", cure=_FLOAT_FILE)
        _check_custom(model)
        for graph in model.graphs:
            fold_constants(graph)
            graph.remove_dead()
        return cls(model)


def _check_custom(model: TfliteModel) -> None:
    """Refuses operators that LiteRT has not: what stands beside them could not be compared, nor constants folded."""
    operators = [operator for graph in model.graphs for operator in graph.operators]
    custom = dict.fromkeys(o.kind for o in operators if o.code.builtinCode == schema.BuiltinOperator.CUSTOM)
    if not custom:
        return
    try:
        FileRunner(model.write(), delegates=False)
    except MobileBnnError as error:
        raise MobileBnnError(
            f"the file has operators of somebody else: {', '.join(custom)}",
            why=error.why.partition(". ")[0].removesuffix("."),
            cure="Export the model without what they compute",
        ) from error


def load_model(path: Path) -> Any:
    """A Keras model from a file or folder: `.keras`, `.h5` or a Keras SavedModel; not compiled.

    Raises:
        UsageError: there is nothing at that path.
        MobileBnnError: Keras cannot read it.
    """
    if not path.exists():
        raise UsageError(f"there is no Keras model {path}")
    from mobile_bnn.converters.keras_errors import loading_error
    from mobile_bnn.legacy_keras import tf

    try:
        model = tf.keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the broken part of a file leads to
        raise loading_error(path, error) from error
    if not isinstance(model, tf.keras.Model):
        raise MobileBnnError(f"{path} is a SavedModel without its Keras model", cure="Save it with Keras as .keras")
    return model
