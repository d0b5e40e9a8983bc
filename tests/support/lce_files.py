"""Files of LCE's converter, in a tenth of the time that its `convert_keras_model` takes."""

import tempfile

from mobile_bnn.typing import KerasModel, KerasTensor


def lce_file(model: KerasModel) -> bytes:
    """What `larq_compute_engine.convert_keras_model(model)` gives.

    That saves the model with Keras first, which traces every layer by itself, several times over; the converter reads
    one function of it. Here only that function is saved.
    """
    import larq_compute_engine as lce

    from mobile_bnn.legacy_keras import tf
    from mobile_bnn.native_output import caught_stderr

    images = [tf.TensorSpec(image.shape, image.dtype, image.name) for image in model.inputs]
    module = tf.Module()
    module.state = model.variables

    @tf.function(input_signature=images)
    def serve(*given: KerasTensor) -> dict[str, KerasTensor]:
        outputs = model(given if len(given) > 1 else given[0], training=False)
        return dict(zip(model.output_names, tf.nest.flatten(outputs), strict=True))

    with tempfile.TemporaryDirectory() as folder, caught_stderr():
        tf.saved_model.save(module, folder, signatures=serve)
        return bytes(lce.convert_saved_model(folder))
