"""What every command prints with --json, as pydantic models: docs/json.md and the tests are made of these."""

from pydantic import BaseModel, ConfigDict, Field, RootModel

from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.converters.storage.weights_file import WeightsIndex
from mobile_bnn.profile_records import Profile
from mobile_bnn.profiling.messages import TargetInfo
from mobile_bnn.records import Operators, PrintedVerification
from mobile_bnn.report.comparison import ProfileChange
from mobile_bnn.report.json import ReportFigures
from mobile_bnn.report.trends import Trend
from mobile_bnn.runtime import ModelMetadata
from mobile_bnn.training.reproductions import Claim, Row
from mobile_bnn.typing import JsonObject
from mobile_bnn.zoo import Trained


class Output(BaseModel):
    """An object with these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class Demo(Output):
    """The five stages of the demo in short."""

    run: str = Field(description="the run folder")
    test: dict[str, float] | None = Field(description="loss and accuracy of the Keras model on the test split")
    keras_top1: float = Field(description="0 to 1")
    tflite_top1: float = Field(description="0 to 1")
    report: str = Field(description="the HTML page")


class Train(Output):
    """What a training reached."""

    run: str = Field(description="the run folder")
    epochs: int = Field(description="trained so far, before --resume included")
    test: dict[str, float] | None = Field(description="loss and accuracy on the test split")


class LintLayer(Output):
    """One layer of the model."""

    layer: str = Field(description="its Keras name where it has one, else that of a tensor")
    op_type: str = Field(description="of the operator; empty if none reads its weights")
    declared: str = Field(description="binary if it has quantizers for its input and its weights, else float")
    converted_to: str = Field(description="binary or float")
    kind: str = Field(description="op_type, by its former name")
    wanted: str = Field(description="declared, by its former name")
    gets: str = Field(description="converted_to, by its former name")
    why: str = Field(description="it stays float though it is declared binary, or is larger in bits")
    code: RefusalCode | None = Field(description="of the reason, whatever its text says")
    cure: str = Field(description="what to change")
    float_bytes: int = Field(description="of its weights in float32")
    file_bytes: int = Field(description="of its weights in the file")
    allowed: bool = Field(description="whether --allow-float names it")
    subgraph: int = Field(description="that its operator is in: 0 is the main graph, others are in loops and branches")


class UnappliedRule(Output):
    """A rule that did not apply near a layer."""

    rule: str = Field(description="its name")
    op_type: str = Field(description="of the operator that it started from")
    computes: str = Field(description="the name of the tensor that this operator computes, or of its module")
    code: RefusalCode = Field(description="of the reason, whatever its text says")
    why: str = Field(description="the reason")


class CodeExplanation(Output):
    """What a refusal code means."""

    code: RefusalCode
    meaning: str = Field(description="what was found")
    why: str = Field(description="why that stands in the way")
    cure: str = Field(description="what to change; {layer} stands for the layer's name")


class Lint(Output):
    """What every layer would become."""

    source: str = Field(description="what was read; empty with --explain")
    layers: list[LintLayer] = Field(description="every one, or with --trace that one")
    trace: list[UnappliedRule] | None = Field(None, description="with --trace: the rules that did not apply near it")
    explanation: CodeExplanation | None = Field(None, description="with --explain")


class Agreement(Output):
    """The file beside itself before its float parts were stored in fewer bits."""

    samples: int
    top1: float | None = Field(description="share with the same largest output, 0 to 1; null where an output is a map")
    difference: float = Field(description="of an output, on average")
    magnitude: float = Field(description="of an output, on average")


class Convert(Output):
    """The file that was written."""

    file: str
    bytes: int
    binary_layers: list[str]
    float_layers: dict[str, str] = Field(description="layers declared binary that stayed float, with the reason")
    agreement: Agreement | None = Field(description="with --float-weights or --int8")
    binary_macs: int
    float_macs: int


class Verify(PrintedVerification):
    """Keras and the file side by side, as verification.json."""


class LarqSummary(Output):
    """Larq's own figures of the Keras model, beside those of the file."""

    larq_binary_macs: int
    larq_float_macs: int
    larq_bytes: int
    file_binary_macs: int
    file_float_macs: int
    file_bytes: int


class ReferenceCheck(Output):
    """What the file computes on this machine, beside the reference outputs in its metadata."""

    samples: int = Field(description="inferences that were compared")
    equal: bool = Field(description="whether every bit is the same")
    largest_difference: float = Field(description="largest absolute difference of an output's elements")
    agreement: float = Field(
        description="share of the outputs, of all samples, whose largest element is at the same place, 0 to 1"
    )


class Inspect(Operators):
    """The operators of a file, as operators.json, and its metadata."""

    file: str
    metadata: ModelMetadata | None = Field(description="the record inside the file")
    reference: ReferenceCheck | None = Field(description="where the file records reference outputs and runs here")
    larq_summary: LarqSummary | None = Field(description="where there is a Keras model")


class ExportWeights(WeightsIndex):
    """The index of the .npz that was written; docs/weights.md has its layout."""

    output: str = Field(description="the .npz")


class ImportedArray(Output):
    """A variable of the network, and where it was in the file."""

    names: list[str] = Field(description="of the arrays in the file; several were joined along the last axis")
    shapes: list[list[int]] = Field(description="of each in the file")
    layer: str = Field(description="of the Keras model")
    weight: str = Field(description="the variable of the layer, such as kernel")


class ImportWeights(Output):
    """Which arrays of a file went where; docs/imported-weights.md."""

    network: str = Field(description="of the zoo")
    source: str = Field(description="who published weights of these names")
    method: str = Field(description="binarization method of the network")
    output: str = Field(description="the .keras that was written")
    parameters: int
    num_classes: int = Field(description="rows of the file's last layer")
    arrays: list[ImportedArray]
    unused: list[str] = Field(description="arrays that are known to be of no use, such as counters")
    notes: list[str] = Field(description="what a user should know, one sentence each")


class ProfileOutput(Profile):
    """Latencies and memory, as profiles/local.json; of several targets {"profiles": [...]}, one for each."""


class Comparison(ProfileChange):
    """One profile against the first one."""

    profile: str = Field(description="its path, as it was given")


class Compare(Output):
    """What has changed between profiles, or with --history over time."""

    baseline: str | None = Field(description="the path of the first profile; null with --history")
    comparisons: list[Comparison] = Field(description="of each further profile; empty with --history")
    folder: str | None = Field(description="with --history")
    trends: list[Trend] = Field(description="with --history: each measurement on each machine")


class PredictedClass(Output):
    """A class and its probability."""

    index: int
    label: str = Field(description="its name; the number where the file has no names")
    score: float = Field(description="0 to 1")


class PredictedObject(Output):
    """An object on an image, of a detector."""

    index: int = Field(description="number of its class")
    label: str = Field(description="the class's name; its number where the file has no names")
    score: float = Field(description="probability, 0 to 1")
    box: list[float] = Field(description="y0, x0, y1, x1, from 0 to 1 of the image's height and width")


class PredictedArea(Output):
    """All pixels of a class, of a segmenter."""

    index: int = Field(description="number of the class")
    label: str = Field(description="the class's name; its number where the file has no names")
    share: float = Field(description="of the image's pixels, 0 to 1")


class PredictedImage(Output):
    """What the file sees on one image."""

    image: str = Field(description="its path")
    classes: list[PredictedClass] = Field(description="of a classifier the most probable first; else empty")
    latency_ms: float = Field(description="of resizing, normalizing, the inference and decoding together")
    true: str = Field(description="the name of its folder where that is a class of the file; else empty")
    objects: list[PredictedObject] = Field(description="of a detector the most probable first; else empty")
    areas: list[PredictedArea] = Field(description="of a segmenter the largest first; else empty")
    size: list[int] = Field(description="height, width in pixels")
    drawn: str = Field(description="with --draw the picture that was written; else empty")


class Predict(Output):
    """What the file sees on images."""

    task: str = Field(description="of the file: classification, detection or segmentation")
    predictions: list[PredictedImage]
    unreadable: list[str] = Field(description="images that were left out, and why")
    median_ms: float | None = Field(description="of the latencies")
    top1: float | None = Field(description="0 to 1, of images in folders named after classes; null where none is")


class Deploy(Output):
    """What was laid on a device, or with --remove taken away from it."""

    target: str
    name: str | None = Field(description="version and hash of what is used there now; null with --remove")
    already_there: bool | None = Field(description="whether nothing had to be sent; null with --remove")
    about: dict[str, str] = Field(description="versions there, and the instruction set that runs; empty with --remove")
    removed: int | None = Field(description="how many were taken away; null without --remove")


class ExportProfile(Output):
    """What was written."""

    written: list[str] = Field(description="the files")


class Device(Output):
    """A target."""

    url: str
    state: str = Field(description="ready, failed, or what is known of one that was not asked")
    info: TargetInfo | None = Field(description="what it tells of itself; null where it was not asked or failed")
    error: str | None


class Devices(Output):
    """The targets that are known here, or those that were asked."""

    targets: list[Device]
    notes: list[str] = Field(description="where none could be looked for, and why")


class Report(ReportFigures):
    """The figures of a report; null where there is no record. Of several sources {"report": ..., "models": [...]}."""

    report: str = Field(description="the HTML page")


class DoctorCheck(Output):
    """One finding about this machine."""

    name: str
    needed_for: str = Field(description="everything: the exit code is 1 where that is missing")
    found: str
    cure: str = Field(description="empty where nothing is missing")
    status: str = Field(description="ok, missing, absent (a device side has no need of it) or advice")


class Doctor(Output):
    """What this machine has."""

    checks: list[DoctorCheck]


class PublishedResult(Output):
    """A result of a paper or of its authors' code."""

    dataset: str
    network: str
    bits: str = Field(description="of weights and activations, such as 1/1")
    top1: float = Field(description="percent")
    source: str = Field(description="where the number stands")


class PackagedWeights(Output):
    """Trained weights of the package."""

    task: str
    dataset: str
    metric: str = Field(description="such as top-1")
    tflite: float = Field(description="that metric of the .tflite file, 0 to 1")


class ZooFacts(Output):
    """What is known of an architecture; figures are null where they were not measured."""

    input_shape: tuple[int, ...] = Field(description="height, width, channels that it was designed for")
    parameters: int | None
    binary_macs: int | None = Field(description="multiply-accumulates of one image with two binarized operands")
    float_macs: int | None
    glue_visits: int | None = Field(description="elements that float operators between linear layers visit")
    file_bytes: int | None = Field(description="of the .tflite")
    latency_ms: float | None = Field(description="of the delegate with one thread, on the processor")
    processor: str | None
    published: list[PublishedResult]
    weights: dict[str, PackagedWeights] = Field(description="by tag")


class ZooEntry(ZooFacts):
    """One architecture."""

    summary: str


class ZooList(RootModel[dict[str, ZooEntry]]):
    """The architectures by name."""


class ZooShow(ZooFacts):
    """One architecture with a method."""

    name: str
    method: str
    source: str
    num_classes: int
    binary_convolutions: int = Field(description="layers with two binarized operands")
    bytes: int = Field(description="of the weights, as Larq counts them")


class ZooLoad(Trained):
    """Trained weights that were written as a run folder."""

    run: str = Field(description="the folder")


class ReproductionEntry(Output):
    """A recipe of mbnn reproduce."""

    zoo: str
    method: str
    dataset: str
    epochs: int
    published: Claim | None = Field(description="null for a training of our own")
    reproduced: Row | None


class Reproduced(Output):
    """A reproduction that was trained."""

    name: str
    run: str
    row: Row
    kept: str | None = Field(description="the table that the row was written into; null outside of a checkout")


class Reproduce(Output):
    """A published result that was trained anew or, without a name, what there is."""

    done: Reproduced | None
    table: dict[str, ReproductionEntry] = Field(description="by name; empty with a name")


class BaselineEntry(Output):
    """A float network of tf.keras.applications."""

    model: str = Field(description="its name in Keras")
    top1: float = Field(description="published, 0 to 1")
    source: str = Field(description="who published it")


class WrittenBaseline(Output):
    """A baseline's file, and what is published about it, as in the file beside it."""

    file: str
    sidecar: str = Field(description="the file with all that follows")
    model: str
    accuracy: float = Field(description="published, 0 to 1")
    headline: str = Field(description="the metric that this is")
    dataset: str
    source: str = Field(description="who published it")
    weights: str = Field(description="random: the latency does not depend on them")


class ZooBaseline(Output):
    """What was written, or without a name all baselines."""

    written: WrittenBaseline | None
    baselines: dict[str, BaselineEntry] = Field(description="by name; empty where one was written")


class Hyperparameter(Output):
    """A field of a method."""

    default: float | str | list[float] | dict[str, float] | None
    description: str


class CheckedMethod(Output):
    """What the kit `check_method` found of a method that passes."""

    method: str
    zoo: str = Field(description="the network that was trained, on scikit-learn's digits")
    epochs: int
    best_accuracy: float = Field(description="of an epoch, on the validation images")
    test_accuracy: float = Field(description="after the last epoch")
    binary_layers: int = Field(description="of the file")
    binary_convolutions: int = Field(description="LceBconv2d of the file")


class MethodsShow(Output):
    """One binarization method."""

    name: str
    title: str
    year: int
    category: str = Field(description="of the survey")
    paper: str
    summary: str
    formula: str = Field(description="weights, activations and gradients, a line each; may be empty")
    choices: str = Field(description="where paper and code part ways: which way was taken; may be empty")
    deploys_as: str = Field(description="what a layer becomes in the file")
    binary_convolutions: int = Field(description="LceBconv2d that a layer becomes")
    needs: list[str] = Field(description="what a network must have")
    hyperparameters: dict[str, Hyperparameter] = Field(description="by name, as in a recipe's [method]")
    published: list[PublishedResult]
    checked: CheckedMethod | None = Field(description="none for a method that was not checked, or of another package")


class MethodsList(Output):
    """The binarization methods."""

    methods: list[MethodsShow]


OUTPUTS: dict[str, type[BaseModel]] = {
    "demo": Demo,
    "train": Train,
    "lint": Lint,
    "convert": Convert,
    "verify": Verify,
    "inspect": Inspect,
    "export-weights": ExportWeights,
    "import-weights": ImportWeights,
    "profile": ProfileOutput,
    "compare": Compare,
    "predict": Predict,
    "deploy": Deploy,
    "export-profile": ExportProfile,
    "devices": Devices,
    "report": Report,
    "reproduce": Reproduce,
    "doctor": Doctor,
    "zoo list": ZooList,
    "zoo show": ZooShow,
    "zoo load": ZooLoad,
    "zoo baseline": ZooBaseline,
    "methods list": MethodsList,
    "methods show": MethodsShow,
}


def schemas() -> JsonObject:
    """The JSON Schema of every command, and of the objects in them, under $defs."""
    from pydantic.json_schema import models_json_schema

    inputs = [(model, "serialization") for model in OUTPUTS.values()]
    references, definitions = models_json_schema(inputs, title="What mbnn prints with --json")  # type: ignore[arg-type]
    properties = {
        name: references[model, "serialization"]
        for name, model in OUTPUTS.items()  # type: ignore[index]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions, "properties": properties}
