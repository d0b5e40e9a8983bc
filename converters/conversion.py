"""From a float model to a binary `.tflite`, checked against what it was made from before it is written."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mobile_bnn import __version__
from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.linting import as_names, check_names, how_to_declare
from mobile_bnn.converters.lowering import Lowering
from mobile_bnn.converters.refusals import Refusal, RefusalCode
from mobile_bnn.converters.source import Source, keras_model
from mobile_bnn.converters.storage.float_weights import FloatWeights
from mobile_bnn.converters.storage.float_weights import float_weights as store_float_weights
from mobile_bnn.converters.storage.int8 import ValueType, quantize_int8
from mobile_bnn.converters.verification.agreement import Agreement, agreement
from mobile_bnn.converters.verification.comparison import Comparison, too_far
from mobile_bnn.converters.verification.input_order import in_graph_order, in_signature_order
from mobile_bnn.converters.verification.instrument import LceRunner
from mobile_bnn.converters.verification.noise import noise
from mobile_bnn.converters.verification.reference import FloatFile, KerasReference
from mobile_bnn.converters.verification.runners import FileRunner, float_runner
from mobile_bnn.converters.verification.signatures import check_signatures
from mobile_bnn.converters.verification.subgraphs import Subgraphs
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import write_bytes
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.records import LayerCheck, Operators
from mobile_bnn.runtime import ModelMetadata, Normalization, operator_table, with_reference
from mobile_bnn.typing import Array, KerasModel
from mobile_bnn.wording import plural

_PACKAGES = ("larq", "larq-compute-engine", "tensorflow", "tf-keras", "numpy", "ai-edge-litert")
_SAMPLES = 8, 2  # on which a file is compared: at most, and at least
_ELEMENTS = 1 << 29  # of all tensors of these samples: as many as take half a minute
_NAMED = 4  # layers that a message names one by one
_NOT_BY_LCE = Refusal(RefusalCode.NOT_BY_LCE, "LCE's converter did not make it binary")
Via = Literal["rules", "lce"]


@dataclass(frozen=True)
class Conversion:
    """What a conversion made.

    Attributes:
        path: the file.
        operators: its operator table.
        layers: the binary layers, as compared with the float file or Keras on the samples.
        float_layers: layers that are declared binary and stayed float, each with the reason.
        agreement: of the file with the one before its float parts were rounded, on the samples; None if they were not.
    """

    path: Path
    operators: Operators
    layers: list[LayerCheck]
    float_layers: dict[str, str]
    agreement: Agreement | None = None


@dataclass(frozen=True)
class Int8:
    """How float parts become int8.

    Attributes:
        samples: float32 [N, ...] for each input in the order of `Interpreter.input_names`, some hundred like those that
            the file will see.
        input_type: of the file's inputs.
        output_type: of the file's outputs.
    """

    samples: Sequence[Array]
    input_type: ValueType = "float32"
    output_type: ValueType = "float32"


def convert(
    model: Any,
    path: Path | str,
    *,
    metadata: ModelMetadata | None = None,
    samples: Sequence[Array] | Array | None = None,
    via: Via = "rules",
    allow_float: Collection[str] = (),
    batch_size: int | None = 1,
    float_weights: FloatWeights = "float32",
    int8: Int8 | None = None,
    float_path: Path | str | None = None,
) -> Conversion:
    """Converts a model and writes a binary `.tflite` with a metadata record.

    What is written is written once, whole and last: until then older files stay as they are.

    Args:
        model: a Keras model, a `Source`, the path of whatever `Source.load` reads, or the bytes of a float .tflite;
            it is not changed.
        path: the file to write.
        metadata: what the file tells about itself; MACs, package versions and the hash of the source's file are filled
            in here, and so is the reference.
        samples: float32 [N, ...], one array for each input in the order of `Interpreter.input_names`, on which the file
            is compared; random ones by default.
        via: whose rules make the binary operators: ours, or LCE's converter.
        allow_float: layers that may stay float though they are declared binary, or the name of one; "all" for any, and
            for a model without a binary layer.
        batch_size: of the file; None leaves it open.
        float_weights: how weights of layers that stay float are stored.
        int8: lets those layers compute in int8.
        float_path: where the same network is written as `convert_float` does, too; of a Keras model only.

    Raises:
        UsageError: there is no model at that path, or `allow_float` names a layer that is not there.
        MobileBnnError: no layer is binary, or one that should be stays float, and `allow_float` does not say so; the
            model cannot be converted, or the file computes something else. Nothing is written then.
        OSError: the file cannot be written.
    """
    path, source, allow_float = Path(path), Source.of(model, batch_size), as_names(allow_float)
    lowered, lowering = source.lower()
    flatbuffer = lowered.write() if via == "rules" else _by_lce(source, lowering)
    unsupported = lowering.unsupported
    _check_float(lowering, allow_float)
    _check_batches(source.model.graphs[0])
    inputs = _inputs(source.model.graphs[0], samples)
    comparisons = _comparisons(source, lowering, flatbuffer)
    if via == "rules":
        check_signatures(source.model.graphs, comparisons[0].file.graphs)
    subgraphs = Subgraphs(lowering, flatbuffer, list(dict.fromkeys(each.runner for each in comparisons)))
    by_lce = dict.fromkeys([*comparisons[0].float_layers(), *subgraphs.float_layers()], _NOT_BY_LCE)
    float_layers = {name: refusal.text for name, refusal in (unsupported | by_lce).items()}
    any_binary = comparisons[0].checks() or subgraphs.checks() or operator_table(flatbuffer).total("binary_macs")
    if not any_binary and "all" not in allow_float:
        raise _nothing_binary(source, lowering, float_layers)
    _compare(comparisons, subgraphs, inputs)
    if source.keras is None:
        _check_prepared(source, lowering, inputs)
    exact, flatbuffer = flatbuffer, _rounded(flatbuffer, float_weights, int8)
    compared = int8.samples if int8 else in_signature_order(source.model.graphs[0], inputs)
    agreed = None if flatbuffer is exact else agreement(exact, flatbuffer, compared)
    record = metadata or _metadata(lowering.floats.inputs[0].shape)
    whole, operators = _with_record(flatbuffer, record, source.sha256)
    twin = None if float_path is None else _float_twin(keras_model(source), metadata)
    write_bytes(path, whole)
    if float_path is not None and twin is not None:
        write_bytes(float_path, twin)
    checks = [*_closest(comparisons).checks(), *subgraphs.checks()]
    return Conversion(path, operators, checks, float_layers, agreed)


def _with_record(flatbuffer: bytes, metadata: ModelMetadata, source_sha256: str = "") -> tuple[bytes, Operators]:
    """The file with its record, whose reference outputs it computes here, and its operator table."""
    operators = operator_table(flatbuffer)
    record = complete(metadata, operators)
    if not record.source_sha256:
        record = record.model_copy(update={"source_sha256": source_sha256})
    with caught_stderr():  # what the runtime says of a file that it refuses, which then has no reference
        whole = with_reference(flatbuffer, record)
    return whole, operators.model_copy(update={"file_bytes": len(whole)})


def _check_prepared(source: Source, lowering: Lowering, inputs: list[Array]) -> None:
    """Compares what the layers are compared with to the file as it came; Keras is compared anyway."""
    main, *called = source.model.graphs
    original = FloatFile(Lowering([], main, subgraphs=called)).run(inputs, {})
    prepared = float_runner(lowering.float_file()).run(inputs)
    for number, (theirs, margin, ours) in enumerate(zip(original.outputs, original.margins, prepared, strict=True)):
        if (difference := too_far(theirs, ours, margin)) is not None:
            raise MobileBnnError(f"preparing the float file changed its output {number} by {difference:.3g}")


def _rounded(flatbuffer: bytes, weights: FloatWeights, int8: Int8 | None) -> bytes:
    """The file with its float parts in fewer bits; the very same one if none are asked for."""
    if int8 is not None:
        return quantize_int8(TfliteModel.read(flatbuffer), int8.samples, int8.input_type, int8.output_type).write()
    if weights == "float32":
        return flatbuffer
    return store_float_weights(TfliteModel.read(flatbuffer), weights).write()


def _comparisons(source: Source, lowering: Lowering, flatbuffer: bytes) -> list[Comparison]:
    """With the float file, in LiteRT and, if it is here, in LCE's interpreter; with Keras if there is a Keras model."""
    sharing = source.model.graphs
    if source.keras is None:
        floats = FloatFile(lowering, sharing=sharing)
    else:
        floats = FloatFile.of_keras(source.keras, lowering, sharing)
    first = Comparison(lowering, flatbuffer, floats)
    comparisons = [first]
    if source.keras is not None:
        keras = KerasReference(source.keras, lowering, floats)
        comparisons.append(Comparison(lowering, flatbuffer, keras, like=first))
    if find_spec("larq_compute_engine") and lowering.floats.inputs[0].shape[0] == 1:
        comparisons.append(Comparison(lowering, flatbuffer, floats, LceRunner, like=first))
    return comparisons


def _closest(comparisons: Sequence[Comparison]) -> Comparison:
    """The comparison in LiteRT with what the model was made from: with Keras, if there is a Keras model."""
    return [comparison for comparison in comparisons if comparison.runner is FileRunner][-1]


def _compare(comparisons: Sequence[Comparison], subgraphs: Subgraphs, inputs: list[Array]) -> None:
    """Compares the subgraphs by themselves, then the file as a whole, and refuses what computes something else.

    What runs in other processes runs beside all that comes before it.
    """
    with ExitStack() as open_processes:
        for comparison in comparisons:
            open_processes.callback(comparison.close)
            comparison.start(inputs)
        tainted = subgraphs.add(inputs)
        _check_errors(subgraphs.errors, FloatFile.name)
        for comparison in comparisons:
            comparison.add(inputs, tainted)
            _check_errors(comparison.errors, comparison.reference.name)


def _check_errors(errors: Sequence[str], reference: str) -> None:
    if errors:
        raise MobileBnnError(f"the converted file does not compute what {reference} computes", why=errors[0])


def _by_lce(source: Source, lowering: Lowering) -> bytes:
    if source.keras is None:
        raise UsageError("LCE's converter takes Keras models only", cure="Leave --via lce out")
    if inside := [layer.name for body in lowering.bodies.values() for layer in body.binary]:
        why = f"{inside[0]} is in a loop or a branch, and its file has other ones"
        raise UsageError(
            "what LCE's converter makes of the model cannot be compared", why=why, cure="Leave --via lce out"
        )
    from mobile_bnn.converters.keras import lce_converter

    return lce_converter.to_binary(source.keras)


def _check_float(lowering: Lowering, allowed: Collection[str]) -> None:
    check_names(lowering, allowed)
    wrong = {} if "all" in allowed else {n: why for n, why in lowering.unsupported.items() if n not in allowed}
    if wrong and any(layer.binary for layer in lowering.every_layer):
        name, why = next(iter(wrong.items()))
        more = f" ({len(wrong) - 1} more: {', '.join(list(wrong)[1:4])})" if len(wrong) > 1 else ""
        raise MobileBnnError(
            f"{name} is declared binary and would be float{more}",
            why=why.text,
            cure=_leaving_float(list(wrong)),
        )


def _leaving_float(names: Sequence[str]) -> str:
    """What to say so that layers may stay float."""
    if len(names) > _NAMED:
        return "--allow-float all leaves them so; mbnn lint names a cure for each"
    options = " ".join(f"--allow-float {shlex.quote(name)}" for name in names)
    return f"{options} leaves {'it' if len(names) == 1 else 'them'} so"


def _nothing_binary(source: Source, lowering: Lowering, unmet: Mapping[str, str]) -> MobileBnnError:
    if unmet:
        reasons = "; ".join(f"{name}: {why}" for name, why in unmet.items())
        cure = "mbnn lint names a cure for each layer; --allow-float all writes a float file"
        return MobileBnnError("no layer of the model can be made binary", why=reasons, cure=cure)
    why = "no linear operator has quantized weights and a quantized input"
    half = [layer.name for layer in lowering.every_layer if layer.code is RefusalCode.INPUT_NOT_QUANTIZED]
    return MobileBnnError(
        "the model has no binary layer",
        why=f"{why}; {', '.join(half)} only quantized weights" if half else why,
        cure=f"{how_to_declare(source)}; --allow-float all writes a float file",
    )


def complete(metadata: ModelMetadata, operators: Operators) -> ModelMetadata:
    """The record with the file's MACs and the versions of the packages that made it."""
    versions = {"mobile_bnn": __version__, **_versions()}
    macs = {"binary_macs": operators.total("binary_macs"), "float_macs": operators.total("float_macs")}
    return metadata.model_copy(update={**macs, "versions": versions})


def _versions() -> dict[str, str]:
    """Of the packages that are installed under these names: a .tflite is converted without TensorFlow, too."""
    found = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _metadata(shape: Sequence[int]) -> ModelMetadata:
    """Inputs as they are: for a model of which nothing is known but the shape of its first input."""
    channels = shape[-1]
    none = Normalization(mean=[0.0] * channels, std=[1.0] * channels)
    return ModelMetadata(input_shape=tuple(shape[1:]), normalization=none, binary_macs=0, float_macs=0)


def _inputs(graph: Graph, samples: Sequence[Array] | Array | None) -> list[Array]:
    """The first samples, or a few seeded ones, in the shapes and types that the model takes, in the graph's order.

    Of a network with more elements than _ELEMENTS / 8 there are fewer: each sample has millions of binary inputs.
    """
    most, fewest = _SAMPLES
    elements = sum(prod(tensor.shape) for operator in graph.operators for tensor in operator.outputs)
    batches = min(most, max(fewest, _ELEMENTS // max(1, elements)))
    if samples is not None:
        given = [samples] if isinstance(samples, np.ndarray) else list(samples)
        return in_graph_order(graph, _checked(in_signature_order(graph, graph.inputs), given, batches))
    generator = np.random.default_rng(0)
    return [noise(generator, (batches * tensor.shape[0], *tensor.shape[1:]), tensor.dtype) for tensor in graph.inputs]


def _check_batches(graph: Graph) -> None:
    """Refuses inputs that are samples without a batch: a file is compared sample by sample, and its record has both."""
    for number, tensor in enumerate(graph.inputs):
        if len(tensor.shape) >= (1 if number else 2):
            continue
        size = tensor.shape[0] if tensor.shape else 1
        cure = f"Export the model with an input of [1, {size}] for one sample of {plural(size, 'number')}"
        if size > 1:
            cure += f", or of [{size}, 1] for {size} samples of one"
        raise MobileBnnError(
            f"the input {tensor.name} has no batch dimension",
            why=f"its shape is {list(tensor.shape)}, and the first dimension of an input counts samples",
            cure=cure,
        )


def _checked(tensors: Sequence[Tensor], samples: list[Array], most: int) -> list[Array]:
    """The first whole batches of samples, at most so many, that have the model's shapes."""
    wanted, given = ([tuple(part.shape[1:]) for part in parts] for parts in (tensors, samples))
    if wanted != given:
        shapes = [" and ".join(str(["N", *shape]).replace("'", "") for shape in part) for part in (wanted, given)]
        raise UsageError(f"the model takes inputs {shapes[0]}, the samples are {shapes[1]}")
    count, batch = min(len(array) for array in samples), tensors[0].shape[0]
    if count < batch:
        raise UsageError(f"{plural(count, 'sample')} cannot fill a batch of the model, which is {batch}")
    first = min(count // batch, most) * batch
    return [array[:first].astype(tensor.dtype) for array, tensor in zip(samples, tensors, strict=True)]


def convert_float(model: Any, path: Path | str, *, metadata: ModelMetadata | None = None) -> Path:
    """Writes the same network as a float `.tflite` for stock LiteRT: the baseline of speed and size.

    Args:
        model: a Keras model, a `Source` of one, or the path of one.
        path: the file to write.
        metadata: what the file tells about itself; MACs, package versions and the reference are filled in here.

    Raises:
        UsageError: there is no Keras model at that path.
        MobileBnnError: the model cannot be read or converted. Nothing is written then.
        OSError: the file cannot be written.
    """
    path, flatbuffer = Path(path), _float_twin(keras_model(model), metadata)
    write_bytes(path, flatbuffer)
    return path


def _float_twin(keras: KerasModel, metadata: ModelMetadata | None) -> bytes:
    """The file with a record; without one if nothing is known of the model, and its input has no batch."""
    from mobile_bnn.converters.keras import lce_converter
    from mobile_bnn.converters.keras.errors import check_model
    from mobile_bnn.converters.keras.export import with_known_inputs

    keras = with_known_inputs(keras)
    check_model(keras)
    flatbuffer = lce_converter.to_float(keras)
    shape = [size or 1 for size in keras.inputs[0].shape]
    if metadata is None and len(shape) > 1:
        metadata = _metadata(shape)
    if metadata is None:
        return flatbuffer
    return _with_record(flatbuffer, metadata.model_copy(update={"accuracy": None}))[0]  # that is another file's
