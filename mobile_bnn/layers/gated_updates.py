"""An optimizer that leaves some variables, or some of their elements, bit for bit as they are."""

from collections.abc import Callable, Mapping

from mobile_bnn.layers.changed_updates import Update, with_update
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasOptimizer, TfTensor

Gate = Callable[[], TfTensor]


def with_gates(default: KerasOptimizer, gates: Mapping[str, Gate], other: Gate | None = None) -> KerasOptimizer:
    """The optimizer, whose steps count only where a gate is open.

    Its moments go on as if the step had been taken: only the variable stays.

    Args:
        default: the optimizer.
        gates: by `identity_of`; each gives booleans that broadcast to its variable, asked in every step.
        other: the gate of all other variables; None leaves it open.
    """

    def update(each: Update) -> None:
        gate = gates.get(each.identity, other)
        if gate is None:
            each.take()
            return
        before = tf.identity(each.variable)
        each.take()
        each.variable.assign(tf.where(gate(), each.variable, before))

    return with_update(default, update)
