"""A split of images of varying size, read, decoded and cropped while training runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from mobile_bnn.data.augment import IMAGES_ALONE, Augment
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfDataset, TfTensor


def decode(encoded: TfTensor, channels: int) -> TfTensor:
    """Decodes JPEG, PNG, GIF (first frame) or BMP bytes to uint8 [h, w, channels]."""
    image = tf.io.decode_image(encoded, channels=channels, expand_animations=False)
    image.set_shape([None, None, channels])
    return image


_MAX_SEED = 2**31 - 1  # TensorFlow folds every seed into fewer


def _shuffled(dataset: TfDataset, buffer_size: int, seed: int, epoch_seed: TfTensor) -> TfDataset:
    """What `dataset.shuffle(buffer_size, epoch_seed)` yields under the global seed `seed`.

    `Dataset.shuffle` itself reads the process's global seed, and compares both seeds with zero in Python: under the
    global seed 0 it raises, for a tensor of a traced function has no truth value. Its newer operator also counts as
    stateful, which under TensorFlow's determinism ends all prefetching.
    """
    first, second = seed % _MAX_SEED, tf.math.floormod(epoch_seed, _MAX_SEED)
    if first == 0:  # two zeros ask TensorFlow for an order that differs in every run
        second = tf.where(second == 0, tf.constant(_MAX_SEED, tf.int64), second)
    specs = tf.nest.flatten(dataset.element_spec)
    variant = tf.raw_ops.ShuffleDataset(
        input_dataset=tf.data.experimental.to_variant(dataset),
        buffer_size=tf.constant(buffer_size, tf.int64),
        seed=tf.constant(first, tf.int64),
        seed2=second,
        output_types=[spec.dtype for spec in specs],
        output_shapes=[spec.shape for spec in specs],
        reshuffle_each_iteration=False,
    )
    return tf.data.experimental.from_variant(variant, dataset.element_spec)


@dataclass(frozen=True, eq=False)
class Stream:
    """A tf.data.Dataset of (encoded image or its path, target such as a label int64), in a fixed order.

    Attributes:
        dataset: the elements.
        size: how many there are.
        read: maps the first part of an element to an image, uint8 [h, w, C].
        input_shape: (height, width, channels) of what is delivered; height equals width.
        shuffle_buffer: elements to shuffle among; `size` gives a perfect shuffle, at the price of memory.
        augmented: whether training takes random crops and flips instead of the central crop.
        augment: how.
        read_target: maps the second part of an element to the target, where it is not the target itself.
    """

    dataset: TfDataset
    size: int
    read: Callable[[TfTensor], TfTensor]
    input_shape: tuple[int, int, int]
    shuffle_buffer: int
    augmented: bool = True
    augment: Augment = IMAGES_ALONE
    read_target: Callable[[TfTensor], TfTensor] | None = None

    @property
    def random_changes(self) -> str:
        """What training images go through, in words."""
        return self.augment.crop_words if self.augmented else "none"

    def changed_by(self, augment: Augment, *, random: bool) -> "Stream":
        """The split whose images and targets `augment` changes; only if `random` at random."""
        return replace(self, augment=augment, augmented=self.augmented and random)

    def hold_out(self, count: int, seed: int) -> "tuple[Stream, Stream]":
        """The split without, and with only, its first `count` samples. The order is already random, so no seed is used.

        The first, because reaching the last ones would read all others in every validation.
        """
        rest = replace(self, dataset=self.dataset.skip(count), size=self.size - count)
        return rest, replace(self, dataset=self.dataset.take(count), size=count)

    def _batches(
        self, elements: TfDataset, finish: Callable[..., tuple[TfTensor, TfTensor]], batch_size: int
    ) -> TfDataset:
        images = elements.map(finish, num_parallel_calls=tf.data.AUTOTUNE)
        return images.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE)

    def epoch(self, number: TfTensor, seed: int, batch_size: int) -> TfDataset:
        """Shuffled, augmented batches of epoch `number` (int64 tensor): a function of seed, epoch and sample alone."""
        epoch_seed = tf.stack([tf.cast(seed, tf.int64), number])
        shuffle_seed = tf.random.stateless_uniform([], epoch_seed, minval=None, maxval=None, dtype=tf.int64)
        elements = _shuffled(self.dataset.enumerate(), self.shuffle_buffer, seed, shuffle_seed)

        def finish(index: TfTensor, element: TfTensor) -> tuple[TfTensor, TfTensor]:
            image, target = self.read(element[0]), self._target(element[1])
            if not self.augmented:
                return self.augment.center(image, target, self.input_shape[0])
            sample_seed = tf.random.fold_in(epoch_seed, index)
            return self.augment.crop(image, target, sample_seed, self.input_shape[0])

        return self._batches(elements, finish, batch_size)

    def _target(self, stored: TfTensor) -> TfTensor:
        return stored if self.read_target is None else self.read_target(stored)

    def ordered(self, batch_size: int) -> TfDataset:
        """The batches in the order of the set, centrally cropped."""

        def finish(source: TfTensor, target: TfTensor) -> tuple[TfTensor, TfTensor]:
            return self.augment.center(self.read(source), self._target(target), self.input_shape[0])

        return self._batches(self.dataset, finish, batch_size)
