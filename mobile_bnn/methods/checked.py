"""What the kit found of our methods: `make test-methods-long` writes it beside this file."""

import json
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

RECORD = "checked.json"


class Checked(BaseModel):
    """What `testing.check_method` found of a method that passes.

    Attributes:
        method: its name.
        zoo: the architecture that was trained.
        epochs: how long.
        best_accuracy: of an epoch, on the validation images; chance is 0.1.
        test_accuracy: after the last epoch, on the test images.
        binary_layers: layers that the file computes by binary convolutions.
        binary_convolutions: LceBconv2d of the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: str
    zoo: str
    epochs: int
    best_accuracy: float
    test_accuracy: float
    binary_layers: int
    binary_convolutions: int


@cache
def checked() -> dict[str, Checked]:
    """By method; what is missing was not checked, or comes from another package."""
    record = files("mobile_bnn.methods") / RECORD
    if not record.is_file():
        return {}
    found = [Checked(**each) for each in json.loads(record.read_text(encoding="utf-8"))["methods"]]
    return {each.method: each for each in found}
