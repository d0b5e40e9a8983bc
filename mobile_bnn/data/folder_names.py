"""Makes the folder in a data set's name absolute: a run is read from other working directories than its training's."""

from pathlib import Path

from mobile_bnn.data.info import FOLDER_PREFIXES
from mobile_bnn.errors import UsageError


def absolute(name: str, near: Path | str | None = None) -> str:
    """The name of a data set that means the same from everywhere.

    Args:
        name: of any data set. The folder of "image_folder:PATH", "voc_folder:PATH" or "coco_folder:PATH" may begin
            with ~. A relative one is looked for in the
            current folder first.
        near: the run folder whose recipe the name comes from: a relative folder is looked for there, and in the folders
            above it, next, for older recipes hold the paths that the user gave.

    Returns:
        The same with an absolute path; other names as they are.

    Raises:
        UsageError: the name holds no folder, one of an unknown user, or a relative one that is not found.
    """
    prefix = next((each for each in FOLDER_PREFIXES if name.startswith(each)), None)
    if prefix is None:
        return name
    folder = user_path(name.removeprefix(prefix))
    if folder is None:
        raise UsageError(f"{name!r} names no folder", cure=f"For example: {prefix}photos")
    if folder.is_absolute():
        return f"{prefix}{folder}"
    run = None if near is None else Path(near).absolute()
    places = [Path.cwd(), *([run, *run.parents] if run else [])]
    found = next((place / folder for place in places if (place / folder).is_dir()), None)
    if found is None:
        upwards = f", nor in {run} or a folder above it" if run else ""
        raise UsageError(f"there is no image folder {folder} in {places[0]}{upwards}")
    # A link may lead elsewhere, so ".." is not cut off by the letter.
    return f"{prefix}{found.resolve() if '..' in found.parts else found}"


def user_path(text: str) -> Path | None:
    """The path that a user wrote, with ~ for a home; None for an empty text.

    Raises:
        UsageError: there is no such user.
    """
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:
        raise UsageError(f"{text} begins with no user's home", cure="Write the path in full") from error
