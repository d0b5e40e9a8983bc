"""How the defaults of a zoo's recipe bow to what the user asks for.

A recipe of the zoo was made for one data set and many epochs. Who trains for one epoch, or on another data set, gave
neither the warm-up nor the image size that do not fit then.
"""

from mobile_bnn.data.info import SPECS, base_name
from mobile_bnn.training.nested import Nested


def bowed(fields: Nested, given: Nested) -> Nested:
    """The nested fields of a zoo's recipe, with those changed that what was given leaves no room for.

    * Images of a data set that has one size are not resized: `data.image_size` goes.
    * A warm-up, or steps of the learning rate, that fewer epochs have no room for keep their share of the epochs.

    Args:
        fields: of the recipe.
        given: by the user; they replace fields of the recipe later, and are never changed here.
    """
    result = {**fields, "data": dict(fields.get("data", {})), "schedule": dict(fields.get("schedule", {}))}
    data, schedule = given.get("data", {}), given.get("schedule", {})
    if base_name(str(data.get("name"))) in SPECS and "image_size" not in data:
        result["data"].pop("image_size", None)
    epochs = given.get("epochs")
    if isinstance(epochs, int) and 0 < epochs < fields["epochs"]:
        share = epochs / fields["epochs"]
        own = result["schedule"]
        if own.get("warmup_epochs", 0) >= epochs and "warmup_epochs" not in schedule:
            own["warmup_epochs"] *= share
        if max(own.get("epochs", [0])) >= epochs and not {"epochs", "name"} & set(schedule):
            result["schedule"] = {**own, **_scaled_steps(own["epochs"], share, epochs)}
            if result["schedule"]["name"] == "constant":
                result["schedule"] = {key: result["schedule"][key] for key in ("name", "warmup_epochs") if key in own}
    return result


def _scaled_steps(steps: list[int], share: float, epochs: int) -> Nested:
    scaled = sorted({step for step in (round(step * share) for step in steps) if 0 < step < epochs})
    return {"epochs": scaled} if scaled else {"name": "constant"}
