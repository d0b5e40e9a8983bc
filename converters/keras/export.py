"""From a Keras model to a float graph that can be rewritten.

The binary kernels do not travel through TensorFlow's exporter, which would quantize, fold and copy them for minutes.
While the model is traced each quantized variable is replaced by an extra input; the quantized values, computed
eagerly, become that input's constant afterwards. So it is also known which Keras layer an operator belongs to.
"""

import gc
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.converters.graph.fold_constants import fold_model
from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.input_shapes import InputShape, fixed_shapes, how_to_fix
from mobile_bnn.converters.keras.errors import cause_of
from mobile_bnn.converters.keras.freezing import frozen
from mobile_bnn.converters.keras.layers import flatten, has_kernel_quantizer
from mobile_bnn.converters.keras.signing import input_names, keys_of, output_names, sign
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.heap import trim_heap
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.literal_path import literal_path
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.typing import KerasLayer, KerasModel, KerasTensor, KerasVariable, TfConverter, TfFunction

_DEFAULT = "serving_default"
_PREFIX = "quantized_variable_"
_NEARLY_0 = 2.0**-120
_COLLECTING = "requires element_shape to be static"  # of a list of what a loop computes, in TensorFlow's words


@dataclass(frozen=True)
class QuantizedWeight:
    """A weight with a quantizer: the layer's name, the weight's own, and the variable."""

    layer: str
    name: str
    variable: KerasVariable

    def shape(self) -> tuple[int, ...]:
        """Of what the layer computes with: a quantizer may make more of a kernel than there are latent weights."""
        with larq.context.quantized_scope(True):
            function = tf.function(lambda: tf.convert_to_tensor(self.variable), autograph=False)
            return tuple(function.get_concrete_function().output_shapes)

    def values(self, order: Iterable[int] | None = None) -> npt.NDArray[np.float32]:
        """What the layer computes with, in Keras's order of dimensions or in another."""
        with larq.context.quantized_scope(True):
            values = tf.cast(tf.convert_to_tensor(self.variable), tf.float32)
        return np.asarray(values if order is None else tf.transpose(values, list(order)))


def quantized_weights(model: KerasModel) -> list[QuantizedWeight]:
    """Every weight with a quantizer, each once, in the order of the model's layers."""
    found: dict[int, QuantizedWeight] = {}
    for layer in flatten(model):
        for name, value in vars(layer).items():
            if isinstance(value, larq.quantized_variable.QuantizedVariable) and value.quantizer is not None:
                found.setdefault(id(value), QuantizedWeight(layer.name, name.lstrip("_"), value))
    return list(found.values())


def with_known_inputs(model: KerasModel) -> KerasModel:
    """A model whose inputs are known: a subclassed one that was called has those of its first call."""
    spec = None if not isinstance(model, tf.keras.Model) or model.inputs else model.save_spec()
    if spec is None:
        return model
    (images, *_), _ = spec
    parts = images.values() if isinstance(images, Mapping) else images if isinstance(images, list | tuple) else ()
    nested = any(map(tf.nest.is_nested, parts))
    flat = tf.nest.flatten(images)
    names = keys_of(images, model.name) if nested else [None] * len(flat)
    inputs = [
        tf.keras.Input(each.shape[1:], dtype=each.dtype, name=name) for each, name in zip(flat, names, strict=True)
    ]
    given = tf.nest.pack_sequence_as(images, inputs)
    # Keras cannot call a model of nested dicts with the list of its inputs.
    return tf.keras.Model(inputs if nested else given, model(given), name=model.name)


def export(model: KerasModel, batch_size: int | None = 1) -> TfliteModel:
    """Exports a Keras model in float32 by TensorFlow's converter.

    Args:
        model: a Keras model.
        batch_size: of the file; None leaves it open.

    Returns:
        The graph. Quantized weights are constants named `layer/weight`; inputs and outputs have a signature by Keras's
        names.

    Raises:
        MobileBnnError: TensorFlow cannot trace or convert the model.
    """
    weights = quantized_weights(model)
    dense = [layer for layer in flatten(model) if isinstance(layer, tf.keras.layers.Dense) and _multiplies_only(layer)]
    images = [tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, tensor.name) for tensor in model.inputs]
    kernels = [tf.TensorSpec(weight.shape(), name=f"{_PREFIX}{i}") for i, weight in enumerate(weights)]

    def call(*arguments: KerasTensor) -> KerasTensor:
        given = arguments[: len(images)]
        with _replaced(weights, arguments[len(images) :]), _with_biases(dense):
            return tf.nest.flatten(model(list(given) if len(given) > 1 else given[0], training=False))

    def converter() -> TfConverter:
        function = tf.function(call, autograph=False).get_concrete_function(*images, *kernels)
        graph = frozen(function)
        if graph is None:  # without a trackable object nothing is saved to disk on the way
            return tf.lite.TFLiteConverter.from_concrete_functions([function], None)
        return tf.compat.v1.lite.TFLiteConverter(graph, function.inputs[: len(images) + len(kernels)], function.outputs)

    try:
        flatbuffer = _convert(converter)
    except MobileBnnError as error:
        raise (_open_loop(error) if batch_size is None else None) or error from error
    trim_heap(len(flatbuffer))  # TensorFlow's converter leaves ten copies of the float weights
    exported = TfliteModel.read(flatbuffer)
    _put_in(exported, weights)
    for graph in exported.graphs:
        _without_biases(graph)
    sign(exported.graphs[0], model)
    return _folded(exported)


def _open_loop(error: MobileBnnError) -> MobileBnnError | None:
    """What is wrong with a model if it is that a loop collects results for a batch of any size, as an RNN's does."""
    if _COLLECTING not in str(error.__cause__):
        return None
    return MobileBnnError(
        "the batch cannot stay open",
        why="the model has a loop, such as that of a recurrent layer, whose results TFLite collects in a fixed size",
        cure="Give batch_size=1: Interpreter.predict() then runs a batch of any size, one sample after the other",
    )


def _folded(exported: TfliteModel) -> TfliteModel:
    fold_model(exported)
    return exported


def with_input_shape(model: KerasModel, input_shape: InputShape) -> KerasModel:
    """A model of the same layers whose inputs have fixed sizes, and whose inputs and outputs have the same names.

    Raises:
        UsageError: the sizes do not fit the inputs.
    """
    if not getattr(model, "inputs", None):
        return model  # which is refused for that
    names, own = input_names(model), [tensor.shape[1:] for tensor in model.inputs]
    shapes = fixed_shapes(names, own, input_shape)
    images = [
        tf.keras.Input(shape, name=name, dtype=tensor.dtype)
        for shape, name, tensor in zip(shapes, names, model.inputs, strict=True)
    ]
    outputs = tf.nest.flatten(model(images if len(images) > 1 else images[0]))
    fixed = tf.keras.Model(images, outputs if len(outputs) > 1 else outputs[0], name=model.name)
    fixed.output_names = output_names(model)
    return fixed


def export_saved_model(path: Path, input_shape: InputShape | None = None) -> TfliteModel:
    """Exports a SavedModel in float32 by TensorFlow's converter.

    Args:
        path: of its folder.
        input_shape: of inputs of open sizes, without the batch.

    Raises:
        UsageError: `input_shape` does not fit the inputs.
        MobileBnnError: TensorFlow cannot read or convert it.
    """
    with literal_path(path) as readable:
        if input_shape is not None:
            return _folded(TfliteModel.read(_convert(lambda: _of_fixed_shape(str(readable), input_shape))))
        try:
            flatbuffer = _convert(lambda: tf.lite.TFLiteConverter.from_saved_model(str(readable)))
        except MobileBnnError as error:
            raise _open_shape(str(readable)) or error from error
    return _folded(TfliteModel.read(flatbuffer))


def _signature_inputs(signature: TfFunction) -> dict[str, KerasTensor]:
    return dict(signature.structured_input_signature[1])


def _of_fixed_shape(path: str, input_shape: InputShape) -> TfConverter:
    loaded = tf.saved_model.load(path)
    key = _DEFAULT if _DEFAULT in loaded.signatures else next(iter(loaded.signatures))
    signature = loaded.signatures[key]
    specs = _signature_inputs(signature)
    shapes = fixed_shapes(list(specs), [spec.shape[1:] for spec in specs.values()], input_shape)
    given = {
        name: tf.TensorSpec((spec.shape[0] or 1, *shape), spec.dtype, name)
        for (name, spec), shape in zip(specs.items(), shapes, strict=True)
    }
    function = tf.function(lambda **images: signature(**images)).get_concrete_function(**given)
    return tf.lite.TFLiteConverter.from_concrete_functions([function], loaded)


def _open_shape(path: str) -> MobileBnnError | None:
    """What is wrong with a SavedModel if it is that sizes of its inputs are open."""
    try:
        signatures = tf.saved_model.load(path).signatures
    except Exception:  # what cannot be loaded has another fault, which has been told
        return None
    for signature in signatures.values():
        for name, spec in _signature_inputs(signature).items():
            if spec.shape.rank is not None and None in spec.shape[1:]:
                known = {n: tuple(s.shape[1:]) for n, s in _signature_inputs(signature).items() if s.shape.rank}
                cure = how_to_fix(list(known), list(known.values()))
                return MobileBnnError(f"the shape {tuple(spec.shape[1:])} of its input {name} is not fixed", cure=cure)
    return None


class _Given:
    """Stands for a variable whose value is given: not even read, the variable stays out of the traced graph."""

    def __init__(self, variable: KerasVariable, value: KerasTensor) -> None:
        self._variable, self._value = variable, value

    def value(self) -> KerasTensor:
        return self._value

    def read_value(self) -> KerasTensor:
        return self._value

    def _dense_var_to_tensor(self, *_: object, **__: object) -> KerasTensor:
        return self._value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._variable, name)


@contextmanager
def _replaced(weights: list[QuantizedWeight], values: tuple[KerasTensor, ...]) -> Iterator[None]:
    """Lets every quantized variable have a value that is independent of its latent one."""
    variables = [weight.variable for weight in weights]
    latent = [(variable.latent_variable, variable.quantizer) for variable in variables]
    try:
        for variable, value in zip(variables, values, strict=True):
            variable.latent_variable, variable.quantizer = _Given(variable.latent_variable, value), None
        yield
    finally:
        for variable, was in zip(variables, latent, strict=True):
            variable.latent_variable, variable.quantizer = was


@contextmanager
def _with_biases(dense: Sequence[KerasLayer]) -> Iterator[None]:
    """Lets dense layers that add nothing have a negligible bias, which `_without_biases` then sets to 0.

    TensorFlow 2.21's converter loses the activation of a product with a computed matrix, be it of the layer itself or
    one after it, unless a bias is added first.
    """
    biases = [(layer.use_bias, layer.bias) for layer in dense]
    try:
        for layer in dense:
            layer.use_bias, layer.bias = True, tf.fill([layer.units], _NEARLY_0)
        yield
    finally:
        for layer, was in zip(dense, biases, strict=True):
            layer.use_bias, layer.bias = was


def _multiplies_only(layer: KerasLayer) -> bool:
    """Whether a dense layer adds nothing to the product, and its kernel is quantized or its result activated."""
    activated = layer.activation not in (None, tf.keras.activations.linear)
    if not activated and not has_kernel_quantizer(layer):
        return False
    return not layer.use_bias or not np.asarray(layer.bias).any()


def _without_biases(graph: Graph) -> None:
    for operator in graph.operators:
        for tensor in operator.inputs:
            values = tensor.values if tensor is not None and tensor.dtype == np.float32 else None
            if tensor is not None and values is not None and values.size and values.flat[0] == _NEARLY_0:
                tensor.set_values(np.zeros_like(values))


def _convert(converter: Callable[[], TfConverter]) -> bytes:
    try:
        with caught_stderr(), warnings.catch_warnings(), _garbage_afterwards():
            warnings.simplefilter("ignore")
            return bytes(converter().convert())
    except MobileBnnError:
        raise
    except Exception as error:  # tracing runs the user's layers, and the converter has no error of its own
        cause = cause_of(error)
        cure = "Its call() must consist of TensorFlow's operations" if cause.layer else ""
        raise MobileBnnError("TensorFlow cannot convert the model to float", why=str(cause), cure=cure) from error


@contextmanager
def _garbage_afterwards() -> Iterator[None]:
    """Looks for garbage once, among what was made inside: all that TensorFlow consists of is not walked again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
        gc.collect(0)


def _put_in(exported: TfliteModel, weights: list[QuantizedWeight]) -> None:
    graph = exported.graphs[0]
    given = [tensor for tensor in graph.inputs if tensor.name.startswith(_PREFIX)]
    graph.inputs = [tensor for tensor in graph.inputs if tensor not in given]
    # The largest first: TensorFlow keeps the memory of what it computed on the way, and the others fit in.
    for tensor in sorted(given, key=lambda tensor: -np.prod(tensor.shape)):
        weight = weights[int(tensor.name.removeprefix(_PREFIX))]
        readers = graph.consumers(tensor)
        order = readers[0].inputs[1] if len(readers) == 1 and readers[0].op_type == "TRANSPOSE" else None
        if order is None or order.values is None:
            tensor.set_values(weight.values())
        else:
            (reader,) = readers
            graph.remove(reader)
            tensor = reader.output
            tensor.set_values(weight.values(order.values))
        tensor.table.name = f"{weight.layer}/{weight.name}"
