"""Fetches the Java archives that an APK is made from: from Maven Central, once, checked by their hashes."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from programs import require, run

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import sha256

FOLDER = Path(__file__).resolve().parents[2] / "build" / "android" / "maven"
_TRIES = 3  # a look-up that fails sometimes succeeds the next time


@dataclass(frozen=True)
class Artifact:
    """An archive on Maven Central, of one version and content."""

    group: str
    name: str
    version: str
    packaging: str
    sha256: str

    @property
    def file_name(self) -> str:
        """As Maven names it."""
        return f"{self.name}-{self.version}.{self.packaging}"


FRAMEWORK = Artifact(  # the newest whose resources aapt2 2.19 reads
    *("org.robolectric", "android-all", "14-robolectric-10818077", "jar"),
    "6be2218c6a53fe3c57bc22ebdc723edcb7270a8a6f187545708aa5c0ed813977",
)
TFLITE = Artifact(
    *("org.tensorflow", "tensorflow-lite", "2.16.1", "aar"),
    "34b065817e294e7dd3569504e8b9454938ceae453b6a459da54d5f6e45d3c94e",
)
TFLITE_API = Artifact(
    *("org.tensorflow", "tensorflow-lite-api", "2.16.1", "aar"),
    "885b95bc9e47a4aa5cf8e71523aed9b05e397cfef1ea09773f13fea8b649fcee",
)
DEXER = Artifact(
    *("com.android.tools", "r8", "8.5.35", "jar"),
    "4733945987ee0a840fafc34080b135259e01678412e07212b23f706334290294",
)


def fetch(artifact: Artifact, folder: Path = FOLDER) -> Path:
    """The archive, in `folder`; Maven is asked where it is not there yet.

    Raises:
        MobileBnnError: Maven cannot be reached, or sent something else than what was tested.
    """
    path = folder / artifact.file_name
    if not path.is_file():
        _download(artifact, folder)
    if sha256(path) != artifact.sha256:
        path.unlink()
        raise MobileBnnError(
            f"{artifact.file_name} from Maven is not the file that was tested", why="its hash differs", cure="Try again"
        )
    return path


def _download(artifact: Artifact, folder: Path) -> None:
    require("mvn")
    folder.mkdir(parents=True, exist_ok=True)
    coordinates = f"{artifact.group}:{artifact.name}:{artifact.version}:{artifact.packaging}"
    command = ["mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"]
    command += [f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
    for _ in range(_TRIES - 1):
        with contextlib.suppress(MobileBnnError):
            run(command, f"fetching {coordinates}")
            return
    run(command, f"fetching {coordinates}")
