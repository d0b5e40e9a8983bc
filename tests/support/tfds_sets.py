"""Sets of TensorFlow Datasets in their real structure with random images, as TFDS's own `mock_data` makes them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def _write_record(root: Path, name: str, splits: Sequence[str], samples: int) -> None:
    """The record of a prepared set that mock_data looks for, with as many samples as it makes."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(name)
    folder = root / name.split("/")[0] / builder.builder_config.name if builder.builder_config else root / name
    folder = folder / str(builder.version)
    folder.mkdir(parents=True)
    record = {
        "name": builder.name,
        "version": str(builder.version),
        "fileFormat": "tfrecord",
        "splits": [{"name": split, "shardLengths": [str(samples)], "numBytes": "1"} for split in splits],
    }
    (folder / "dataset_info.json").write_text(json.dumps(record))


@contextmanager
def mocked(root: Path, sets: Mapping[str, Sequence[str]], samples: int) -> Iterator[None]:
    """TFDS reads these sets, by name their splits, with so many random images in each, as if they lay in `root`."""
    from mobile_bnn.legacy_keras import tf  # noqa: F401 - before TFDS loads TensorFlow

    import tensorflow_datasets as tfds  # isort: skip

    for name, splits in sets.items():
        _write_record(root, name, splits, samples)
    with tfds.testing.mock_data(num_examples=samples, data_dir=str(root)):
        yield
