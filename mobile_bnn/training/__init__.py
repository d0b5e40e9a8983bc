"""Training: a recipe in, a trained Keras model in a run folder out.

from mobile_bnn import training
from mobile_bnn.run_folder import RunFolder

recipe = training.Recipe.of_zoo("binary_lenet", dataset="digits", epochs=20)
model, history = training.train(recipe, RunFolder("runs/mine"))
"""

from typing import TYPE_CHECKING, Any

from mobile_bnn.training.recipe import Recipe

if TYPE_CHECKING:
    from mobile_bnn.training.loop import train

__all__ = ["Recipe", "train"]


def __getattr__(name: str) -> Any:
    # Reading a recipe needs no TensorFlow; training does.
    if name == "train":
        from mobile_bnn.training.loop import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
