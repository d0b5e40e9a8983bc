"""A folder that collects profiles: a file for each, which is never written twice."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profile_records import Profile


def add(profile: Profile, folder: Path | str) -> Path:
    """Adds a profile as TIME-TARGET-HASH.json, and returns where; the same profile twice is one file.

    Raises:
        UsageError: the folder is a file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", cure="Name a folder that collects profiles")
    content = json.dumps(profile.model_dump(mode="json"), sort_keys=True).encode("utf-8")
    moment = profile.measured_at.partition("+")[0].replace(":", "-") or "unknown"
    target = quote(profile.target.replace("://", "-"), safe="@")
    name = f"{moment}-{target}-{hashlib.sha256(content).hexdigest()[:12]}.json"
    path = folder / name
    if not path.exists():
        profile.save(path)
    return path


def read(folder: Path | str, on_damaged: Callable[[Path, MobileBnnError], None]) -> list[tuple[Path, Profile]]:
    """The profiles of a folder in the order of their time.

    Args:
        folder: what `add` filled.
        on_damaged: called with each file that cannot be read, which is left out.

    Raises:
        UsageError: there is no such folder, or no profile in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", cure="mbnn profile --history makes one")
    every = [(path, _profile(path, on_damaged)) for path in sorted(folder.glob("[!.]*.json"))]
    found = [(path, profile) for path, profile in every if profile is not None]
    if not found:
        raise UsageError(f"{folder} holds no profile", cure="mbnn profile --history adds one")
    return sorted(found, key=lambda item: item[1].measured_at)


def _profile(path: Path, on_damaged: Callable[[Path, MobileBnnError], None]) -> Profile | None:
    try:
        return Profile.load(path)
    except MobileBnnError as error:
        on_damaged(path, error)
        return None
