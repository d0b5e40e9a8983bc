"""`convert`: a run's trained model, or a model from elsewhere, to a binary .tflite."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mobile_bnn.errors import UsageError
from mobile_bnn.pipeline.imports import import_first
from mobile_bnn.pipeline.locate import keras_model, run_of_model
from mobile_bnn.pipeline.results import Shown
from mobile_bnn.pipeline.samples import Samples, of_file, of_run
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.records import DatasetRecord
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.wording import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.converters.conversion import Conversion, Int8
    from mobile_bnn.runtime import ModelMetadata


@dataclass(frozen=True)
class ConvertOptions:
    """How a model is converted.

    Attributes:
        float_file: whether the float .tflite is written too, with which speed is compared.
        allow_float: layers declared binary that may stay float; "all" for any, and for a model without one.
        via: whose rules make the binary operators: ours, or LCE's converter.
        float_weights: how the weights of layers that stay float are stored.
        int8: lets layers that stay float compute in int8, calibrated on samples.
        input_type: of the file's inputs, with int8.
        output_type: of the file's outputs, with int8.

    Raises:
        UsageError: options that contradict each other.
    """

    float_file: bool = True
    allow_float: Collection[str] = ()
    via: Literal["rules", "lce"] = "rules"
    float_weights: Literal["float32", "float16", "int8"] = "float32"
    int8: bool = False
    input_type: Literal["float32", "int8"] = "float32"
    output_type: Literal["float32", "int8"] = "float32"

    def __post_init__(self) -> None:
        if not self.int8 and "int8" in (self.input_type, self.output_type):
            raise UsageError("--input-type and --output-type are for --int8")
        if self.int8 and self.float_weights != "float32":
            raise UsageError("--int8 stores weights in int8", cure="Leave --float-weights out")


@dataclass(frozen=True)
class Converted(Shown):
    """A file that was written, and what became of each layer; the fields of `conversion` say more."""

    conversion: "Conversion"
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.conversion.path)

    @property
    def lines(self) -> list[str]:
        """The file, its size, and what became binary."""
        operators, agreement = self.conversion.operators, self.conversion.agreement
        binary = operators.total("binary_macs")
        share = binary / max(binary + operators.total("float_macs"), 1)
        lines = [
            f"{self.path}  {operators.file_bytes:,} bytes",
            f"binary layers: {len(self.conversion.layers)}, {share:.1%} of the multiply-accumulates",
        ]
        ties = [layer for layer in self.conversion.layers if layer.ties]
        if ties:
            named = ", ".join(
                f"{layer.layer} {layer.ties} of {layer.bits:,} (±{layer.rounding or 0:.2g})" for layer in ties
            )
            lines.append(f"signs on which float32 rounding decides, of the samples: {named}")
        if agreement:
            same = "" if agreement.top1 is None else f"the same top-1 class on {agreement.top1:.1%} of "
            compared = plural(agreement.samples, "sample")
            lines.append(
                f"float parts in fewer bits: {same}{compared}, outputs differ by {agreement.difference:.2g} on average"
            )
        return lines

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        from mobile_bnn.report import operator_table

        operators = self.conversion.operators.model_copy(update={"float_layers": self.conversion.float_layers})
        return Group(*map(Text, self.lines), operator_table(operators))


def convert(
    model: RunFolder | Path | str,
    options: ConvertOptions | None = None,
    *,
    output: Path | str | None = None,
    samples: Path | str | None = None,
    imports: Sequence[Path | str] = (),
    input_shape: Sequence[str] = (),
    data_dir: Path | str | None = None,
    watcher: Watcher | None = None,
) -> Converted:
    """Converts a run's trained model, or another one, to a binary .tflite.

    The file is compared with the float one and with Keras, layer by layer, first: one that computes something else is
    not written. What is known about a run goes into the metadata of its file.

    Args:
        model: a run folder or its model.keras, another Keras model (.keras, .h5), a SavedModel or a float .tflite.
        options: how.
        output: the .tflite to write; by default model.tflite in the run, or a file beside the model.
        samples: inputs to compare on and to calibrate with, float32 [N, ...]: a .npy, or a .npz with one for each
            input; by default a run's own images, or random ones.
        imports: Python files with layers of one's own, which are run first.
        input_shape: sizes that a model from elsewhere leaves open: "224x224x3", or "name=224x224x3" for each input.
        data_dir: local copies of data sets.
        watcher: is told what goes on.

    Raises:
        UsageError: there is no such model, or the options contradict each other.
        MobileBnnError: the model cannot be converted; nothing is written then.
        OSError: the file cannot be written.
    """
    options, watcher = options or ConvertOptions(), watcher or Watcher()
    output = None if output is None else Path(output)
    if output and output.suffix != ".tflite":
        raise UsageError(f"{output} does not end in .tflite")
    given = of_file(samples) if samples else None
    path = Path(model)
    if run := run_of_model(path):
        if input_shape:
            raise UsageError("a run's model has a fixed input shape", cure="Leave --input-shape out")
        with run.writing() if output is None else _writing_to(output):
            return _convert_run(run, output, options, given, imports, data_dir, watcher)
    if options.int8 and given is None:
        raise UsageError("--int8 needs inputs to calibrate on", cure="Give --samples, a .npy of float32 [N, ...]")
    output = output or _output_of(path)
    with _writing_to(output):
        return _convert_model(path, output, options, given or Samples(), imports, watcher, input_shape)


def _output_of(source: Path) -> Path:
    if source.name in ("", ".."):  # the current folder, or the one above, is a SavedModel
        source = source.resolve()
    return source.with_name(f"{source.stem}_binary.tflite" if source.suffix == ".tflite" else f"{source.stem}.tflite")


def _writing_to(output: Path) -> AbstractContextManager[None]:
    """Keeps others from writing to the run folder that a file is to lie in, if it is one."""
    run = RunFolder(output.parent)
    return run.writing() if run.recipe.is_file() else nullcontext()


def _convert_run(
    run: RunFolder,
    output: Path | None,
    options: ConvertOptions,
    samples: Samples | None,
    imports: Sequence[Path | str],
    data_dir: Path | str | None,
    watcher: Watcher,
) -> Converted:
    path = keras_model(run)
    import_first(imports, watcher)  # the recipe may name a method of theirs
    samples = samples or of_run(run, data_dir, watcher, needed=options.int8)
    twin = run.float_tflite if options.float_file else None
    converted = _convert(path, output or run.tflite, twin, run, options, samples, imports, watcher)
    if output is None:
        conversion = converted.conversion
        conversion.operators.model_copy(update={"float_layers": conversion.float_layers}).save(run.operators)
    return converted


def _convert_model(
    source: Path,
    output: Path,
    options: ConvertOptions,
    samples: Samples,
    imports: Sequence[Path | str],
    watcher: Watcher,
    input_shape: Sequence[str],
) -> Converted:
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"{output} is the model itself", cure="Give another --output")
    twin = output.with_name(f"{output.stem}_float.tflite") if options.float_file else None
    return _convert(source, output, twin, None, options, samples, imports, watcher, input_shape)


def _convert(
    path: Path,
    output: Path,
    twin: Path | None,
    run: RunFolder | None,
    options: ConvertOptions,
    samples: Samples,
    imports: Sequence[Path | str],
    watcher: Watcher,
    input_shape: Sequence[str] = (),
) -> Converted:
    with watcher.status(f"reading {path}"):
        from mobile_bnn.converters.conversion import convert
        from mobile_bnn.converters.input_shapes import parse_input_shapes
        from mobile_bnn.converters.source import Source

        source = Source.load(path, imports=imports, input_shape=parse_input_shapes(input_shape))
    record = _metadata(run, source.keras) if run else None
    with watcher.status(f"converting {path}"):
        conversion = convert(
            source,
            output,
            metadata=record,
            samples=samples.compared,
            via=options.via,
            allow_float=options.allow_float,
            float_weights=options.float_weights,
            int8=_int8(options, samples) if options.int8 else None,
            float_path=twin if source.keras is not None else None,
        )
    return Converted(conversion)


def _int8(options: ConvertOptions, samples: Samples) -> "Int8":
    from mobile_bnn.converters.conversion import Int8

    return Int8(samples.calibration or [], options.input_type, options.output_type)


def _metadata(run: RunFolder, model: Any) -> "ModelMetadata":
    from mobile_bnn.runtime import ModelMetadata, Normalization, TaskSpec
    from mobile_bnn.training import Recipe

    recipe, info = Recipe.read(run.recipe), DatasetRecord.load(run.dataset)
    task = recipe.task.fitted(info.input_shape, len(info.labels))
    return ModelMetadata(
        zoo_model=recipe.zoo,
        task=TaskSpec(name=task.name, options=task.decoding()),
        method=recipe.method.card.name,
        dataset=recipe.data.name,
        labels=info.labels,
        input_shape=model.input_shape[1:],
        normalization=Normalization(mean=info.mean, std=info.std),
        binary_macs=0,
        float_macs=0,
    )
