"""A TensorFlow Lite library for the JVM of this machine; those of the packages for Python do not export the C API."""

import contextlib
import zipfile
from pathlib import Path

from programs import require, run

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import atomic_file, sha256

_NAME, _VERSION, _CLASSIFIER = "tensorflow-lite", "2.19.0-1.5.12", "linux-x86_64"
_MEMBER = "org/bytedeco/tensorflowlite/linux-x86_64/libjnitensorflowlite.so"
_LIBRARY_SHA256 = "b7db669a1ad8153133dd43af007fd19c6359acfc4638d3d137a0c1ecf27c50d4"
_TRIES = 3  # a look-up that fails sometimes succeeds the next time


def host_runtime(folder: Path) -> Path:
    """The library, in `folder`; Maven is asked where it is not there yet.

    Raises:
        MobileBnnError: Maven cannot be reached, or sent something else than what was tested.
    """
    library = folder / "libjnitensorflowlite.so"
    if not library.is_file():
        with zipfile.ZipFile(_fetch(folder)) as jar, atomic_file(library) as part:
            part.write_bytes(jar.read(_MEMBER))
    if sha256(library) != _LIBRARY_SHA256:
        library.unlink()
        raise MobileBnnError(
            f"{library.name} is not the file that was tested", why="its hash differs", cure="Try again"
        )
    return library


def _fetch(folder: Path) -> Path:
    require("mvn")
    folder.mkdir(parents=True, exist_ok=True)
    jar = folder / f"{_NAME}-{_VERSION}-{_CLASSIFIER}.jar"
    coordinates = f"org.bytedeco:{_NAME}:{_VERSION}:jar:{_CLASSIFIER}"
    command = ["mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"]
    command += [f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
    for _ in range(_TRIES - 1):
        with contextlib.suppress(MobileBnnError):
            run(command, f"fetching {coordinates}")
            return jar
    run(command, f"fetching {coordinates}")
    return jar
