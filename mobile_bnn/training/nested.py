"""Recipe fields by any of their names, as nested dictionaries: `optimizer.learning_rate`, sections, and flat names.

Recipes of version 1 were flat, and their names are short to type: both are understood everywhere.
"""

from collections.abc import Mapping

from mobile_bnn.errors import UsageError
from mobile_bnn.names import unknown
from mobile_bnn.training.sections import DEFAULT_NAMES, SECTIONS, section_class
from mobile_bnn.typing import Json, JsonObject

Nested = JsonObject

TOP = ("schema_version", "zoo", "epochs", "weights")
_OF_BOP = ("bop_threshold", "bop_gamma")
FLAT = {
    "dataset": "data.name",
    "image_size": "data.image_size",
    "augment": "data.augment",
    "validation_fraction": "data.validation_fraction",
    "batch_size": "data.batch_size",
    "seed": "runtime.seed",
    "flip_ratio": "runtime.flip_ratio",
    "strategy": "runtime.strategy",
    "jit": "runtime.jit",
    "learning_rate": "optimizer.learning_rate",
    "warmup_epochs": "schedule.warmup_epochs",
    "step_epochs": "schedule.epochs",
    "step_factor": "schedule.factor",
    "bop_threshold": "method.bop.threshold",
    "bop_gamma": "method.bop.gamma",
    "weight_clip": "method.clip",
    "label_smoothing": "task.label_smoothing",
}


def nest(fields: Mapping[str, Json], source: str) -> Nested:
    """The fields of a recipe in their sections.

    Args:
        fields: by their path ("optimizer.learning_rate"), their flat name ("learning_rate") or their section, whose
            value is a dictionary, or a string that stands for its name.
            Those of Bop count only where no other optimizer is named.
        source: begins the message of an error.

    Raises:
        UsageError: there is no such field.
    """
    result: Nested = {}
    chosen = fields.get("optimizer")
    for name, value in fields.items():
        if name in _OF_BOP and isinstance(chosen, str) and chosen != "bop":
            continue
        path = FLAT.get(name, name).split(".")
        if path[0] not in (*TOP, *SECTIONS):
            known = [*TOP[1:], *SECTIONS, *FLAT]
            listing = f"{', '.join(TOP[1:])}, and in sections: {', '.join(SECTIONS)}"
            raise UsageError(f"{source}: {unknown('field', name, known, listing)}")
        if len(path) == 1 and path[0] in SECTIONS and isinstance(value, str):
            value = {"name": value}
            if path[0] == "optimizer":
                value = _as_method_option(value, result)
        for key in reversed(path[1:]):
            value = {key: value}
        _put(result, path[0], value)
    return result


def _as_method_option(optimizer: Nested, result: Nested) -> Nested:
    """Bop was an optimizer in version 1: it is an option of the method, beside the optimizer of all other weights."""
    bop = optimizer["name"] == "bop"
    method = result.setdefault("method", {})
    if isinstance(method, dict):
        method.setdefault("bop", {} if bop else None)
    return {"name": "adam"} if bop else optimizer


def _put(target: Nested, key: str, value: Json) -> None:
    """Sets a key; a dictionary is merged into one that is there."""
    if isinstance(value, Mapping) and isinstance(target.get(key), dict):
        for inner, each in value.items():
            _put(target[key], inner, each)
    else:
        target[key] = dict(value) if isinstance(value, Mapping) else value


def upgrade(fields: Mapping[str, Json]) -> Nested:
    """A recipe file's fields of version 1 as nested ones of today; those of today as they are.

    Files of version 1 hold every field, also those that belong to a choice that was not made.
    """
    kept = dict(fields)
    if fields.get("optimizer", "adam") == "adam":
        for name in _OF_BOP:
            kept.pop(name, None)
    if fields.get("schedule", "cosine") != "step":
        for name in ("step_epochs", "step_factor"):
            kept.pop(name, None)
    return kept


def merge(base: Nested, over: Nested) -> Nested:
    """The fields of `base` replaced by those of `over`; None takes one out, which gives it its default.

    Where `over` names another choice of a section (another method, say), the fields that the new one lacks go.
    """
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in base.items()}
    for key, value in over.items():
        if key in SECTIONS and isinstance(value, dict):
            before = result.get(key, {})
            if key in DEFAULT_NAMES and value.get("name", before.get("name")) != before.get("name"):
                known = {"name", *section_class(key, value["name"]).model_fields}
                before = {name: each for name, each in before.items() if name in known}
            result[key] = dict(before)
            for name, each in value.items():
                _put(result[key], name, each)
        else:
            result[key] = value
    return {key: _without_none(value) for key, value in result.items() if value is not None}


def _without_none(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    return {key: _without_none(each) for key, each in value.items() if each is not None}
