"""Optimizers that do more, or less, than their update of some variables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mobile_bnn.typing import KerasOptimizer, KerasVariable, TfTensor


@dataclass(frozen=True)
class Update:
    """An optimizer's update of a variable.

    Attributes:
        identity: `identity_of` the variable; on several devices each updates its own copy, of the same identity.
        variable: that is updated.
        gradient: of the loss.
        iterations: how many steps were taken before this one.
        take: does what the optimizer would do.
    """

    identity: str
    variable: Any
    gradient: TfTensor
    iterations: TfTensor
    take: Callable[[], None]


def identity_of(variable: KerasVariable) -> str:
    """What an `Update` knows a variable by; of a quantized kernel, that of its latent weights."""
    latent: Any = getattr(variable, "latent_variable", variable)
    return str(latent._unique_id)


def with_update(default: KerasOptimizer, update: Callable[[Update], None]) -> KerasOptimizer:
    """An optimizer of the same configuration, which does `update` in place of its own updates."""

    class Changed(type(default)):  # type: ignore[misc]
        """Hands its updates on."""

        def update_step(self, gradient: TfTensor, variable: Any) -> None:
            """Keras's hook."""
            step = super().update_step
            identity = str(self._var_key(variable))
            update(Update(identity, variable, gradient, self.iterations, lambda: step(gradient, variable)))

    Changed.__name__ = type(default).__name__
    return Changed.from_config(default.get_config())
