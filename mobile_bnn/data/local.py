"""What the readers of local copies share: reading a file in full, within bounds, or saying what is wrong with it."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobile_bnn.errors import MobileBnnError

CURE = "Copy or download this file again from the publisher of the data set"


def damaged(path: Path, why: str) -> MobileBnnError:
    """The error for a file that is cut off, altered or of another kind than its name says."""
    return MobileBnnError(f"{path} is not a whole file of this data set", why=why, cure=CURE)


@contextmanager
def gzip_errors(path: Path) -> Iterator[None]:
    """Turns the errors of reading the gzip file `path` into `damaged`."""
    try:
        yield
    except EOFError as error:
        raise damaged(path, f"the gzip stream is cut off after {path.stat().st_size:,} bytes") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, f"its gzip stream of {path.stat().st_size:,} bytes is damaged: {error}") from error
    except OSError as error:
        raise MobileBnnError(f"cannot read {path}", why=error.strerror or str(error)) from error


def read_exactly(path: Path, size: int) -> bytes:
    """The content of `path`, decompressed if its name ends in .gz; never reads much more than `size` bytes.

    Raises:
        MobileBnnError: the content is not `size` bytes long, or the gzip checksum is wrong.
    """
    with gzip_errors(path), gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        # One byte more than wanted: it tells a longer file, and reaching the end makes gzip compare its checksum.
        content = file.read(size + 1)
    if len(content) != size:
        found = f"more than {size:,}" if len(content) > size else f"{len(content):,}"
        raise damaged(path, f"it holds {found} bytes instead of {size:,}")
    return content
