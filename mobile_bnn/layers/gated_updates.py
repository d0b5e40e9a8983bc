"""An optimizer that leaves some variables, or some of their elements, bit for bit as they are."""

from collections.abc import Callable, Mapping
from typing import Any

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasOptimizer, KerasVariable, TfTensor

Gate = Callable[[], TfTensor]


def identity_of(variable: KerasVariable) -> str:
    """What `with_gates` knows a variable by; of a quantized kernel, that of its latent weights."""
    latent: Any = getattr(variable, "latent_variable", variable)
    return str(latent._unique_id)


def with_gates(default: KerasOptimizer, gates: Mapping[str, Gate], other: Gate | None = None) -> KerasOptimizer:
    """The optimizer, whose steps count only where a gate is open.

    Its moments go on as if the step had been taken: only the variable stays.

    Args:
        default: the optimizer.
        gates: by `identity_of`; each gives booleans that broadcast to its variable, asked in every step.
        other: the gate of all other variables; None leaves it open.
    """
    return _gated(type(default), gates, other).from_config(default.get_config())


def _gated(base: type[KerasOptimizer], gates: Mapping[str, Gate], other: Gate | None) -> type[KerasOptimizer]:
    class Gated(base):  # type: ignore[misc]
        """Takes some steps back."""

        def update_step(self, gradient: TfTensor, variable: Any) -> None:
            """Keras's hook."""
            gate = gates.get(identity_of(variable), other)
            if gate is None:
                super().update_step(gradient, variable)
                return
            before = tf.identity(variable)
            super().update_step(gradient, variable)
            variable.assign(tf.where(gate(), variable, before))

    Gated.__name__ = base.__name__
    return Gated
