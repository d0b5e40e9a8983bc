"""A full disk and too little memory, as TensorFlow tells of them, in the words that every other part has for them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf


@contextmanager
def resource_errors(folder: Path) -> Iterator[None]:
    """Turns TensorFlow's errors of a full disk or memory into ours; `folder` is what the block writes to.

    Raises:
        OSError: the disk is full.
        MobileBnnError: there is too little memory.
    """
    try:
        yield
    except (tf.errors.OpError, MemoryError) as error:
        # TensorFlow has one code for both, and the system's own words for a disk.
        if os.strerror(errno.ENOSPC) in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        if isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
            raise MobileBnnError(
                "there is too little memory for this training",
                cure="Give a smaller --batch-size, or a smaller image size: --set image_size=N",
            ) from error
        raise
