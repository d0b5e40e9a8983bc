"""Weight decay as the papers have it: the gradient of an L2 loss, which goes through the optimizer's moments.

Keras's own `weight_decay` is the decoupled one of Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (ICLR
2019), which differs wherever steps are not plain gradients.
"""

from collections.abc import Iterable
from typing import Any

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasOptimizer, KerasVariable, TfTensor


def decaying(optimizer: type[KerasOptimizer], decay: float) -> type[KerasOptimizer]:
    """An optimizer class of Keras that adds `decay` times each kernel to its gradient.

    Kernels are variables of two axes or more; biases, batch norms and learned shifts do not decay.
    """

    class Decaying(optimizer):  # type: ignore[misc]
        """See `decaying`."""

        def apply_gradients(
            self, grads_and_vars: Iterable[tuple[TfTensor | None, KerasVariable]], *args: Any, **options: Any
        ) -> Any:
            """Keras's step."""
            # Gradients of replicas are added up after this.
            share = decay / tf.distribute.get_strategy().num_replicas_in_sync
            decayed = [
                (gradient if gradient is None or len(variable.shape) < 2 else gradient + share * variable, variable)
                for gradient, variable in grads_and_vars
            ]
            return super().apply_gradients(decayed, *args, **options)

    Decaying.__name__ = optimizer.__name__
    return Decaying
