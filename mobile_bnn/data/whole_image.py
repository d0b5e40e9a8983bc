"""Windows of images whose targets have places in them: nothing of the image may be cut off unseen."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.data.augment import random_window
from mobile_bnn.typing import TfTensor

WINDOW_AREA = (0.3, 1.0)  # of random crops; with 8%, as for classification, most objects would be gone
AREA_WORDS = f"random crop of {WINDOW_AREA[0]:.0%} to {WINDOW_AREA[1]:.0%} of the area, horizontal flip"


def mirrored_window(image: TfTensor, seed: TfTensor) -> tuple[TfTensor, TfTensor, TfTensor]:
    """A random part of `image` [h, w, C]: its (y, x), its (height, width), both int32 [2], and whether to mirror it."""
    tf = keras2.tf
    seeds = tf.random.split(seed, 2)
    begin, extent = random_window(image, seeds[0], WINDOW_AREA)
    whole = tf.shape(image)[:2]
    extent = tf.where(extent[:2] < 0, whole, extent[:2])  # -1: all of it, where no window was found
    return begin[:2], extent, tf.random.stateless_uniform([], seeds[1]) < 0.5


def resized(image: TfTensor, size: int) -> TfTensor:
    """The whole image, whatever its proportions: float32 [size, size, C]."""
    return keras2.tf.image.resize(image, (size, size))


def flipped(image: TfTensor, flip: TfTensor) -> TfTensor:
    """An image [h, w, C], mirrored left to right if `flip`, a bool scalar."""
    return keras2.tf.cond(flip, lambda: keras2.tf.reverse(image, [1]), lambda: image)
