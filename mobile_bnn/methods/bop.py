"""Bop: an optimizer that flips binary weights, which then need no latent ones."""

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.typing import KerasOptimizer


class Bop(BaseModel):
    """Weights are ±1 themselves; one flips where a moving average of its gradient exceeds a threshold against it.

    "Latent Weights Do Not Exist: Rethinking Binarized Neural Network Optimization" (Helwegen et al., NeurIPS 2019),
    algorithm 1. There is no latent weight, so nothing is quantized or clipped in the forward pass.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    threshold: float = Field(1e-8, gt=0, allow_inf_nan=False, description="gradient signal that flips a weight (τ)")
    gamma: float = Field(1e-4, gt=0, le=1, description="adaptivity rate of the gradient's moving average (γ)")

    def optimizer(self, default: KerasOptimizer) -> KerasOptimizer:
        """Bop for the binary variables, and `default`, one of Keras's with a legacy twin, for all others."""
        larq, optimizers = keras2.larq, keras2.tf.keras.optimizers
        # Larq's CaseOptimizer is built on Keras's legacy optimizers and takes only those.
        legacy = getattr(optimizers.legacy, type(default).__name__)
        config = default.get_config()
        options = {name: value for name, value in config.items() if name in legacy(0.1).get_config()}
        twin = legacy.from_config({**options, "learning_rate": default._learning_rate})
        bop = larq.optimizers.Bop(threshold=self.threshold, gamma=self.gamma)
        return larq.optimizers.CaseOptimizer((larq.optimizers.Bop.is_binary_variable, bop), default_optimizer=twin)
