"""What is known of an architecture without building it: figures, published accuracies, trained weights."""

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from mobile_bnn.tasks import Task
from mobile_bnn.typing import JsonObject
from mobile_bnn.zoo.architecture import ARCHITECTURES, Architecture
from mobile_bnn.zoo.figures import figures
from mobile_bnn.zoo.trained import Trained, tags, trained

_FIGURES = ("parameters", "binary_macs", "float_macs", "glue_visits", "file_bytes", "latency_ms", "processor")


def facts(entry: Architecture) -> JsonObject:
    """By name, as JSON has them; figures are None where they were not measured."""
    measured = figures().get(entry.name)
    return {
        "input_shape": entry.input_shape,
        **{name: measured and getattr(measured, name) for name in _FIGURES},
        "published": [each.model_dump() for each in entry.published],
        "weights": {
            each.tag: {
                "task": each.task["name"],
                "dataset": each.dataset,
                "metric": each.headline,
                "tflite": each.tflite,
            }
            for each in trained_weights(entry)
        },
    }


def trained_weights(entry: Architecture) -> Iterator[Trained]:
    """The records of its trained weights."""
    return (trained(entry.name, tag) for tag in tags(entry.name))


def found(pattern: str = "*", task: Task | None = None, *, weights: bool = False) -> list[Architecture]:
    """The architectures that fit, by name.

    Args:
        pattern: of the name, with * and ?.
        task: whose head the backbone shall carry; one that was not measured counts.
        weights: whether there shall be trained weights; those of the task, where one is given.
    """
    named = (ARCHITECTURES.get(name) for name in ARCHITECTURES.names() if fnmatchcase(name, pattern))
    return [entry for entry in named if (_has_weights(entry, task) if weights else _carries(entry, task))]


def _has_weights(entry: Architecture, task: Task | None) -> bool:
    return any(task is None or each.task["name"] == task.name for each in trained_weights(entry))


def _carries(entry: Architecture, task: Task | None) -> bool:
    known = figures().get(entry.name)
    strides: Collection[int] = known.strides if known else ()
    return task is None or known is None or task.fits(strides)
