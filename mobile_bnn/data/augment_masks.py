"""Crops and flips that move label maps along with their images.

A map is uint8 [..., height, width], 255 where a pixel does not count.
"""

from dataclasses import dataclass

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.data.augment import Augment, pad_crop_flip
from mobile_bnn.data.label_maps import IGNORED
from mobile_bnn.data.whole_image import AREA_WORDS, flipped, mirrored_window, resized
from mobile_bnn.typing import TfTensor


@dataclass(frozen=True)
class MaskAugment(Augment):
    """Of label maps. Labels are never interpolated."""

    targets = "masks"
    crop_words = AREA_WORDS

    def shift(
        self, images: TfTensor, targets: TfTensor, draws: TfTensor, *, pad: int, flip: bool
    ) -> tuple[TfTensor, TfTensor]:
        """`pad_crop_flip` of both; the zeros around an image do not count."""
        turned = (IGNORED - targets)[..., None]  # so that what is padded with zeros becomes 255
        moved = IGNORED - pad_crop_flip(turned, draws, pad=pad, flip=flip)[..., 0]
        return pad_crop_flip(images, draws, pad=pad, flip=flip), moved

    def crop(self, image: TfTensor, target: TfTensor, seed: TfTensor, size: int) -> tuple[TfTensor, TfTensor]:
        """A random part of both, of 30% to all of the area, every second one mirrored."""
        tf = keras2.tf
        begin, extent, flip = mirrored_window(image, seed)
        part = tf.slice(image, tf.concat([begin, [0]], 0), tf.concat([extent, [-1]], 0))
        labels = _resized(tf.slice(target, begin, extent), size)
        return flipped(resized(part, size), flip), flipped(labels[..., None], flip)[..., 0]

    def center(self, image: TfTensor, target: TfTensor, size: int) -> tuple[TfTensor, TfTensor]:
        """The whole image and its map."""
        return resized(image, size), _resized(target, size)


def _resized(labels: TfTensor, size: int) -> TfTensor:
    """uint8 [h, w] to [size, size]: of each new pixel the label of the old one that its center is in."""
    tf = keras2.tf
    return tf.ensure_shape(tf.image.resize(labels[..., None], (size, size), method="nearest")[..., 0], (size, size))


MASKS = MaskAugment()
