"""How the defaults of a zoo's recipe bow to what the user asks for.

A recipe of the zoo was made for one data set and many epochs. Who trains for one epoch, or on another data set, gave
neither the warm-up nor the image size that do not fit then.
"""

from collections.abc import Mapping
from typing import Any

from mobile_bnn.data.info import SPECS, base_name


def bowed(fields: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a zoo's recipe, with those changed that what was given leaves no room for.

    * Images of a data set that has one size are not resized: `image_size` goes.
    * A warm-up, or steps of the learning rate, that fewer epochs have no room for keep their share of the epochs.
    * Steps go with the schedule that has them.

    Args:
        fields: of the recipe.
        given: by the user; they replace fields of the recipe later, and are never changed here.
    """
    result = dict(fields)
    dataset = given.get("dataset")
    if isinstance(dataset, str) and base_name(dataset) in SPECS and "image_size" not in given:
        result.pop("image_size", None)
    if given.get("schedule", "step") != "step" and "step_epochs" not in given:
        result.pop("step_epochs", None)
    epochs = given.get("epochs")
    if isinstance(epochs, int) and 0 < epochs < fields["epochs"]:
        share = epochs / fields["epochs"]
        if result.get("warmup_epochs", 0) >= epochs and "warmup_epochs" not in given:
            result["warmup_epochs"] *= share
        if max(result.get("step_epochs", [0])) >= epochs and not {"step_epochs", "schedule"} & set(given):
            result |= _scaled_steps(result["step_epochs"], share, epochs)
    return result


def _scaled_steps(steps: list[int], share: float, epochs: int) -> dict[str, Any]:
    scaled = sorted({step for step in (round(step * share) for step in steps) if 0 < step < epochs})
    return {"step_epochs": scaled} if scaled else {"step_epochs": [], "schedule": "constant"}
