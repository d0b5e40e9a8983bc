"""Attention transfer: a student's maps are strong where its teacher's are.

Martinez, Yang, Bulat, Tzimiropoulos: "Training Binary Neural Networks with Real-to-Binary Convolutions", ICLR 2020,
section 4.2, after Zagoruyko and Komodakis: "Paying More Attention to Attention", ICLR 2017.
"""

from collections.abc import Sequence

from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasModel, KerasTensor, TfTensor

_SMALLEST = 1e-12  # below the attention of any map but one of zeros


def attention(x: TfTensor) -> TfTensor:
    """q = Q / max Q with Q the mean of the squares over the channels: float32 [n, h·w] in [0, 1] of [n, h, w, c].

    As Larq Zoo has it; the paper divides by the L2 norm. A map of zeros has no attention anywhere.
    """
    area = tf.reduce_mean(tf.square(tf.cast(x, tf.float32)), axis=-1)
    flat = tf.reshape(area, (tf.shape(area)[0], -1))
    return flat / tf.maximum(tf.reduce_max(flat, axis=-1, keepdims=True), _SMALLEST)


def attention_loss(teacher: Sequence[TfTensor], student: Sequence[TfTensor]) -> TfTensor:
    """The mean over pairs, images and places of (q_s − q_t)²: a float32 scalar.

    Args:
        teacher, student: maps [n, h, w, c]; those of a pair differ at most in c.
    """
    pairs = zip(teacher, student, strict=True)
    return tf.reduce_mean(
        tf.stack([tf.reduce_mean(tf.square(attention(mine) - attention(theirs))) for theirs, mine in pairs])
    )


def shared_maps(student: KerasModel, teacher: KerasModel) -> list[tuple[KerasTensor, KerasTensor]]:
    """The maps that both networks make by a layer of one name, as pairs of the student's and the teacher's.

    The layers are sums, the ends of residual blocks; where there are none, the student's binary convolutions.

    Raises:
        UsageError: there is no such pair.
    """
    theirs = {layer.name: layer.output for layer in teacher.layers if not _takes_images(layer)}
    pairs = [(layer, theirs[layer.name]) for layer in student.layers if layer.name in theirs]
    pairs = [(layer, map_) for layer, map_ in pairs if _fit(layer.output, map_)]
    sums = [(layer.output, map_) for layer, map_ in pairs if isinstance(layer, tf.keras.layers.Add)]
    convolutions = [(layer.output, map_) for layer, map_ in pairs if hasattr(layer, "kernel_quantizer")]
    if not (sums or convolutions):
        raise UsageError(
            "the teacher does not fit: no map of the student has one of the same layer name and size in it",
            cure="Name a run of the same network, or leave attention transfer out: --set teacher.attention=0",
        )
    return sums or convolutions


def _takes_images(layer: object) -> bool:
    return isinstance(layer, tf.keras.layers.InputLayer)


def _fit(mine: KerasTensor, theirs: KerasTensor) -> bool:
    """Whether two outputs are maps of one height and width."""
    shapes = [getattr(each, "shape", ()) for each in (mine, theirs)]
    return all(len(shape) == 4 for shape in shapes) and shapes[0][1:3] == shapes[1][1:3]
