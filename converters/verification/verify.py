"""Verification: Keras and the file on the whole test split, class by class and bit by bit."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.source import Source, keras_model
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.reference import KerasReference
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.records import Pair, Verification
from mobile_bnn.runtime import graph_sha256, read_flatbuffer
from mobile_bnn.runtime.interpreter import Batch, in_order
from mobile_bnn.tasks import Task
from mobile_bnn.tasks.classification import Classification
from mobile_bnn.tasks.task import Prediction
from mobile_bnn.typing import Array


def verify(
    model: Any,
    flatbuffer: Path | str | bytes,
    batches: Iterable[tuple[Batch, Array]],
    *,
    dataset: str,
    task: Task | None = None,
    split: str = "test",
    labels: Sequence[str] = (),
    layer_samples: int = 256,
    on_progress: Callable[[int], None] | None = None,
    on_predictions: Callable[[Array, Sequence[Prediction], Array], None] | None = None,
) -> Verification:
    """Runs a Keras model and its binary file side by side.

    Args:
        model: the Keras model, a `Source` of it, or its path.
        flatbuffer: its binary file, or the bytes of that.
        batches: (float32 images [N, H, W, C], targets such as int labels [N]) of the split; for a model of several
            inputs a list of arrays in Keras's order, or a dict by the names in `Interpreter.input_names`, in place of
            the images.
        dataset: its name, for the record.
        task: tells what outputs and targets mean; classification by default.
        split: its name, for the record.
        labels: class names by their number, for the record.
        layer_samples: on how many images, from the first, the binary layers are compared too.
        on_progress: called with the number of images of each batch done.
        on_predictions: called with the images of each batch (the first input of several), what the file predicts of
            them, and the targets.

    Raises:
        UsageError: the Keras model or the file does not exist, or a batch does not have the model's inputs.
        MobileBnnError: shapes do not fit, or a difference that rounding does not explain; the first layer is named. In
            a file whose float parts are in fewer bits flips are counted only.
    """
    from mobile_bnn.converters.keras.signing import input_names
    from mobile_bnn.legacy_keras import tf

    flatbuffer, source = read_flatbuffer(flatbuffer), Source.of(model)
    keras, (_, lowering) = keras_model(source), source.lower()
    comparison = Comparison(lowering, flatbuffer, KerasReference(keras, lowering))
    runner, task = FileRunner(flatbuffer), task or Classification()
    names, shapes = input_names(keras), [shape[1:] for shape in runner.input_shapes]
    predicted: dict[str, list[object]] = {"keras": [], "tflite": []}
    targets: list[object] = []
    largest = 0.0
    for given, batch_targets in batches:
        inputs = in_order(given, names)
        if (found := [array.shape[1:] for array in inputs]) != shapes:
            sizes = [" and ".join(map(str, each)) for each in (shapes, found)]
            raise MobileBnnError(f"the file takes images of {sizes[0]}, the data set has {sizes[1]}")
        if len(counts := {len(array) for array in inputs}) > 1:
            raise UsageError(f"a batch has other numbers of samples for each input: {sorted(counts)}")
        if left := layer_samples - comparison.samples:
            comparison.add([array[:left] for array in inputs])
        computed = keras.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])
        ours = [np.asarray(output) for output in tf.nest.flatten(computed)]
        theirs = runner.run(inputs)[: len(ours)]
        predicted["keras"] += task.decode(ours)
        predictions = task.decode(theirs)
        predicted["tflite"] += predictions
        targets += list(batch_targets)
        largest = max(largest, *(float(np.abs(one - other).max()) for one, other in zip(ours, theirs, strict=True)))
        if on_predictions:
            on_predictions(inputs[0], predictions, batch_targets)
        if on_progress:
            on_progress(len(inputs[0]))
    if not targets:
        raise MobileBnnError(f"the {split} split of {dataset} is empty")
    if comparison.errors and not _is_rounded(flatbuffer):
        raise MobileBnnError("the file does not compute what Keras computes", why=comparison.errors[0])
    metrics = {name: task.evaluate(each, targets) for name, each in predicted.items()}
    return Verification(
        task=task.name,
        dataset=dataset,
        split=split,
        samples=len(targets),
        headline=task.headline,
        metrics={name: Pair(keras=value, tflite=metrics["tflite"][name]) for name, value in metrics["keras"].items()},
        classes=_of_classes(task, predicted, targets, labels),
        agreement=task.agreement(predicted["keras"], predicted["tflite"]),
        largest_difference=largest,
        layers=comparison.checks(),
        layer_samples=comparison.samples,
        graph_sha256=graph_sha256(flatbuffer),
        model_sha256=source.sha256,
    )


def _of_classes(
    task: Task, predicted: dict[str, list[Prediction]], targets: list[Prediction], labels: Sequence[str]
) -> dict[str, Pair]:
    """The metric of each class by its name, of those that both models or the targets have."""
    keras, tflite = (task.evaluate_classes(predicted[name], targets) for name in ("keras", "tflite"))
    return {
        labels[number] if number < len(labels) else f"class {number}": Pair(
            keras=keras.get(number, 0.0), tflite=tflite.get(number, 0.0)
        )
        for number in sorted({*keras, *tflite})
    }


def _is_rounded(flatbuffer: bytes) -> bool:
    """Whether float parts of a file are stored or computed in fewer bits."""
    (graph, *_) = TfliteModel.read(flatbuffer).graphs
    kinds = {operator.op_type for operator in graph.operators}
    return bool(kinds & {"DEQUANTIZE", "QUANTIZE"}) or any(tensor.dtype == np.int8 for tensor in graph.inputs)
