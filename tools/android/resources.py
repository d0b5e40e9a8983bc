"""Compiles the app's resources and manifest with aapt2."""

from dataclasses import dataclass
from pathlib import Path

from programs import run

MIN_SDK, TARGET_SDK = 26, 35


@dataclass(frozen=True)
class Resources:
    """What aapt2 made.

    Attributes:
        archive: a zip with the manifest, resources.arsc and res/ in binary form.
        sources: a folder with R.java.
    """

    archive: Path
    sources: Path


def link(app: Path, framework: Path, work: Path, *, version_code: int, version_name: str) -> Resources:
    """Compiles `app`/src/main/res and links it with the manifest beside it.

    Raises:
        MobileBnnError: a resource is malformed or missing; aapt2 says which.
    """
    compiled, archive, sources = work / "resources.zip", work / "resources.apk", work / "r"
    main = app / "src" / "main"
    work.mkdir(parents=True, exist_ok=True)
    run(["aapt2", "compile", "--dir", main / "res", "-o", compiled], "compiling the resources")
    run(
        [
            *("aapt2", "link", "-o", archive, "-I", framework, "--manifest", main / "AndroidManifest.xml"),
            *("--java", sources, "--min-sdk-version", str(MIN_SDK), "--target-sdk-version", str(TARGET_SDK)),
            *("--version-code", str(version_code), "--version-name", version_name, "--debug-mode", compiled),
        ],
        "linking the resources",
    )
    return Resources(archive, sources)
