"""A split of fixed-size images held in memory: batches are gathered and augmented whole, not image by image."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.data.augment import IMAGES_ALONE, Augment
from mobile_bnn.data.info import Augmentation
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfDataset, TfTensor


@dataclass(frozen=True, eq=False)
class InMemory:
    """Images uint8 [N, H, W, C] with targets, such as labels int64 [N]: an array or a nest of arrays, each [N, ...].

    `augmentation` is applied by `epoch` alone; `augment` says how.
    """

    images: npt.NDArray[np.uint8]
    targets: Any
    augmentation: Augmentation | None = None
    augment: Augment = IMAGES_ALONE

    @property
    def size(self) -> int:
        """The number of samples."""
        return len(self.images)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    @property
    def random_changes(self) -> str:
        """What training images go through, in words."""
        return str(self.augmentation or "none")

    def changed_by(self, augment: Augment, *, random: bool) -> "InMemory":
        """The split whose images and targets `augment` changes; only if `random` at random."""
        return replace(self, augment=augment, augmentation=self.augmentation if random else None)

    def hold_out(self, count: int, seed: int) -> "tuple[InMemory, InMemory]":
        """The split without, and with only, the last `count` samples of a seeded permutation."""
        order = np.random.default_rng(seed).permutation(self.size)
        rest, held = np.sort(order[: self.size - count]), np.sort(order[self.size - count :])
        return self._part(rest), self._part(held)

    def _part(self, indices: npt.NDArray[np.int64]) -> "InMemory":
        targets = tf.nest.map_structure(lambda values: values[indices], self.targets)
        return replace(self, images=self.images[indices], targets=targets)

    @cached_property
    def _tensors(self) -> tuple[TfTensor, TfTensor]:
        # Made outside of any function: a constant of a traced function would be copied and hashed in every pipeline.
        with tf.init_scope(), tf.device("CPU:0"):
            return tf.constant(self.images), tf.nest.map_structure(tf.constant, self.targets)

    def _batches(self, order: TfTensor, batch_size: int, finish: Callable[..., tuple[TfTensor, TfTensor]]) -> TfDataset:
        """Batches in the given order of indices; `finish` maps (images, targets, indices) to images and targets."""
        images, targets = self._tensors

        def batch(start: TfTensor) -> tuple[TfTensor, TfTensor]:
            indices = order[start : start + batch_size]
            chosen = tf.nest.map_structure(lambda values: tf.gather(values, indices), targets)
            return finish(tf.gather(images, indices), chosen, indices)

        starts = tf.data.Dataset.range(0, self.size, batch_size)
        return starts.map(batch, num_parallel_calls=tf.data.AUTOTUNE)

    def epoch(self, number: TfTensor, seed: int, batch_size: int) -> TfDataset:
        """Shuffled, augmented batches of epoch `number` (int64 tensor): a function of seed, epoch and sample alone."""
        order_seed, draw_seed = tf.unstack(tf.random.split(tf.stack([tf.cast(seed, tf.int64), number]), 2))
        order = tf.random.experimental.stateless_shuffle(tf.range(self.size), order_seed)
        if self.augmentation is None:
            return self._batches(order, batch_size, _unchanged)
        pad, flip = self.augmentation.pad, self.augmentation.flip
        draws = tf.random.stateless_uniform([self.size, 3], draw_seed)
        return self._batches(
            order,
            batch_size,
            lambda images, targets, indices: self.augment.shift(
                images, targets, tf.gather(draws, indices), pad=pad, flip=flip
            ),
        )

    def ordered(self, batch_size: int) -> TfDataset:
        """The batches in the order of the set, unchanged."""
        return self._batches(tf.range(self.size), batch_size, _unchanged)


def _unchanged(images: TfTensor, targets: TfTensor, indices: TfTensor) -> tuple[TfTensor, TfTensor]:
    return images, targets


def check_labels(labels: npt.NDArray[np.int64], num_classes: int, where: str) -> None:
    """Raises MobileBnnError unless every label is in 0 … num_classes − 1; `where` names the file or split."""
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size:
        raise MobileBnnError(
            f"{where} has the label {outside[0]}",
            why=f"labels are 0 to {num_classes - 1}",
            cure="The data is damaged, of another set or without labels; get it again from its publisher",
        )
