"""Checks of a method's layers: phases and mixed precision."""

from collections import Counter
from pathlib import Path

import numpy as np

from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Method
from mobile_bnn.records import Epoch, History
from mobile_bnn.testing.two_layers import step, two_layers
from mobile_bnn.training.checkpoints import Checkpoints
from mobile_bnn.typing import Array, KerasModel


def check_half_precision(method: Method) -> None:
    """In mixed precision signs are taken of float32, and a step leaves finite weights."""
    policy = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = two_layers(method.in_phase(method.phases()[-1]))
        step(method, model)
    finally:
        tf.keras.mixed_precision.set_global_policy(policy)
    for layer in model.layers:
        if getattr(layer, "kernel_quantizer", None) or getattr(layer, "input_quantizer", None):
            assert layer.compute_dtype == "float32", f"{layer.name} takes signs of {layer.compute_dtype}"
    for weight in model.weights:
        assert np.isfinite(weight).all(), f"{weight.name} is not finite after a step in mixed precision"


def check_phases(method: Method, folder: Path) -> KerasModel:
    """Each phase begins with the weights that the one before has trained: two layers after a step in every phase."""
    if type(method).phases is Method.phases and not method.bop:
        method = method.model_copy(update={"float_start": 0.25, "float_kernels": 0.25})
    before: dict[str, Array] = {}
    epochs: list[Epoch] = []
    for phase in method.phases():
        model = two_layers(method.in_phase(phase))
        checkpoints = Checkpoints(folder, model, tf.keras.optimizers.Adam())
        checkpoints.restore(optimizer=False)
        for name, weight in _named_weights(model).items():
            np.testing.assert_array_equal(weight, before.get(name, weight), f"{name} is lost when {phase.name} begins")
        if phase.begin is not None:
            phase.begin(model, tf.random.normal((4, *model.input_shape[1:])))
        step(method, model)
        epochs.append(Epoch(epoch=len(epochs) + 1, seconds=0.0, learning_rate=1e-3, metrics={}))
        checkpoints.save(History(epochs=epochs))
        before = _named_weights(model)
    return model


def _named_weights(model: KerasModel) -> dict[str, Array]:
    """Those whose name no other has: quantizers name theirs alike in all layers."""
    names = Counter(weight.name for weight in model.weights)
    return {weight.name: weight.numpy() for weight in model.weights if names[weight.name] == 1}
