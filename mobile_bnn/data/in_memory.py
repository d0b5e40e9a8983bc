"""A split of fixed-size images held in memory: batches are gathered and augmented whole, not image by image."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.data.augment import pad_crop_flip
from mobile_bnn.data.info import Augmentation
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf


@dataclass(frozen=True, eq=False)
class InMemory:
    """Images uint8 [N, H, W, C] with labels int64 [N]. `augmentation` is applied by `epoch` alone."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    augmentation: Augmentation | None = None

    @property
    def size(self) -> int:
        """The number of samples."""
        return len(self.labels)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    def hold_out(self, count: int, seed: int) -> "tuple[InMemory, InMemory]":
        """The split without, and with only, the last `count` samples of a seeded permutation."""
        order = np.random.default_rng(seed).permutation(self.size)
        rest, held = np.sort(order[: self.size - count]), np.sort(order[self.size - count :])
        return self._part(rest), self._part(held)

    def _part(self, indices: npt.NDArray[np.int64]) -> "InMemory":
        return InMemory(self.images[indices], self.labels[indices], self.augmentation)

    @cached_property
    def _tensors(self) -> tuple[Any, Any]:
        # Made outside of any function: a constant of a traced function would be copied and hashed in every pipeline.
        with tf.init_scope(), tf.device("CPU:0"):
            return tf.constant(self.images), tf.constant(self.labels)

    def _batches(self, order: Any, batch_size: int, finish: Any) -> Any:
        """Batches of (images, labels) in the given order of indices; `finish` maps (images, indices) to images."""
        images, labels = self._tensors

        def batch(start: Any) -> Any:
            indices = order[start : start + batch_size]
            return finish(tf.gather(images, indices), indices), tf.gather(labels, indices)

        starts = tf.data.Dataset.range(0, self.size, batch_size)
        return starts.map(batch, num_parallel_calls=tf.data.AUTOTUNE)

    def epoch(self, number: Any, seed: int, batch_size: int) -> Any:
        """Shuffled, augmented batches of epoch `number` (int64 tensor): a function of seed, epoch and sample alone."""
        order_seed, draw_seed = tf.unstack(tf.random.split(tf.stack([tf.cast(seed, tf.int64), number]), 2))
        order = tf.random.experimental.stateless_shuffle(tf.range(self.size), order_seed)
        if self.augmentation is None:
            return self._batches(order, batch_size, lambda images, _: images)
        pad, flip = self.augmentation.pad, self.augmentation.flip
        draws = tf.random.stateless_uniform([self.size, 3], draw_seed)
        return self._batches(
            order,
            batch_size,
            lambda images, indices: pad_crop_flip(images, tf.gather(draws, indices), pad=pad, flip=flip),
        )

    def ordered(self, batch_size: int) -> Any:
        """The batches in the order of the set, unchanged."""
        return self._batches(tf.range(self.size), batch_size, lambda images, _: images)


def check_labels(labels: npt.NDArray[np.int64], num_classes: int, where: str) -> None:
    """Raises MobileBnnError unless every label is in 0 … num_classes − 1; `where` names the file or split."""
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size:
        raise MobileBnnError(
            f"{where} has the label {outside[0]}",
            why=f"labels are 0 to {num_classes - 1}",
            cure="The data is damaged, of another set or without labels; get it again from its publisher",
        )
