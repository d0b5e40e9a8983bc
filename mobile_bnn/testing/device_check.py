"""Checks that a method trains alike on one device and on several."""

from functools import cache

import numpy as np

from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Method
from mobile_bnn.testing.two_layers import two_layers
from mobile_bnn.training.schedules import follow
from mobile_bnn.typing import KerasModel, TfStrategy

_STEPS = 2


def check_devices(method: Method) -> None:
    """Under `tf.distribute` replicas that see the same images train the weights that one device does.

    There are as many replicas as logical devices, GPUs or else CPUs; a single one goes through the same code.
    """
    method = method.in_phase(method.phases()[-1])
    alone, several = (_trained(method, each) for each in (tf.distribute.get_strategy(), _replicas()))
    for weight, one, other in zip(alone.weights, alone.get_weights(), several.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, 1e-4, 1e-6, err_msg=f"{weight.name} differs on several devices")


@cache
def _replicas() -> TfStrategy:
    # One for all: each would number its exchanges between devices from 1, and they would meet.
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _trained(method: Method, strategy: TfStrategy) -> KerasModel:
    """Two layers after a few steps of the method's schedules; every replica sees the same images."""
    with strategy.scope():
        model = two_layers(method)
        model.compile(method.optimizer(tf.keras.optimizers.Adam(1e-2), model), "mse")
    follow(model, method.all_schedules(model), 0, 2 * _STEPS)
    rng, replicas = np.random.default_rng(0), strategy.num_replicas_in_sync
    batches = tf.data.Dataset.from_tensor_slices(
        tuple(
            np.repeat(rng.normal(size=(_STEPS, 1, 4, *shape[1:])), replicas, axis=1).reshape(-1, *shape[1:])
            for shape in (model.input_shape, model.output_shape)
        )
    )
    model.fit(batches.batch(4 * replicas), epochs=2, verbose=0)
    return model
