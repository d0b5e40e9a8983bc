"""The data set that `load` returns: normalized, batched, prefetched tf.data pipelines over its splits."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mobile_bnn.data.in_memory import InMemory
from mobile_bnn.data.info import DatasetInfo
from mobile_bnn.data.read_errors import read_errors
from mobile_bnn.data.stream import Stream
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfDataset

Split: TypeAlias = InMemory | Stream


@dataclass(frozen=True, eq=False)
class Source:
    """What a reader found: the raw splits, the class names, and where it comes from in words."""

    train: Split
    validation: Split | None
    test: Split
    labels: tuple[str, ...]
    origin: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set ready for training. Every element is (images float32 [B, H, W, C], targets), such as labels int64 [B].

    Images are normalized as `info` says. The last batch of a pass holds what is left, so it may be smaller.
    """

    info: DatasetInfo
    batch_size: int
    seed: int
    source: Source

    @property
    def steps_per_epoch(self) -> int:
        """Training batches in one epoch; the last, partial one counts."""
        return -(-self.info.train_size // self.batch_size)

    def train(self, first_epoch: int = 0, epochs: int = 1) -> TfDataset:
        """The training batches of `epochs` epochs from `first_epoch` on (counted from 0), one epoch after the other.

        Order and augmentation of an epoch depend on the seed, the epoch's number and the sample alone: a training
        that resumes at an epoch sees exactly the batches that the unbroken one would have seen.
        """
        numbers = tf.data.Dataset.range(first_epoch, first_epoch + epochs)
        batches = numbers.flat_map(lambda number: self.source.train.epoch(number, self.seed, self.batch_size))
        return self._finish(batches, epochs * self.steps_per_epoch)

    @property
    def validation(self) -> TfDataset:
        """The validation batches in a fixed order, not augmented; None where no sample is held out."""
        return None if self.source.validation is None else self._ordered(self.source.validation)

    @property
    def test(self) -> TfDataset:
        """The test batches in a fixed order, not augmented."""
        return self._ordered(self.source.test)

    def test_arrays(self, limit: int | None = None) -> tuple[npt.NDArray[np.float32], Any]:
        """The first `limit` test samples (all of them for None): float32 [N, H, W, C] and their targets."""
        count = self.info.test_size if limit is None else min(limit, self.info.test_size)
        with self.reading():
            batches = list(self.test.take(max(1, -(-count // self.batch_size))).as_numpy_iterator())
        images = np.concatenate([images for images, _ in batches])[:count]
        targets = tf.nest.map_structure(
            lambda *parts: np.concatenate(parts)[:count], *(targets for _, targets in batches)
        )
        return images, targets

    def reading(self) -> AbstractContextManager[None]:
        """For a block that goes through `train`, `validation` or `test`: its errors of reading are MobileBnnErrors."""
        return read_errors(self.info.origin)

    def _ordered(self, split: Split) -> TfDataset:
        return self._finish(split.ordered(self.batch_size), -(-split.size // self.batch_size))

    def _finish(self, batches: TfDataset, count: int) -> TfDataset:
        mean, std = np.array(self.info.mean, np.float32), np.array(self.info.std, np.float32)
        normalized = batches.map(
            lambda images, targets: ((tf.cast(images, tf.float32) - mean) / std, targets),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        options = tf.data.Options()
        # Shards by batch, whatever the source: file-wise sharding would starve workers, and there may be no files.
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        counted = normalized.apply(tf.data.experimental.assert_cardinality(count))
        return counted.prefetch(tf.data.AUTOTUNE).with_options(options)
