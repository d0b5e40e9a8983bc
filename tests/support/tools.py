"""Programs that tests call: the virtual environment's own come first, so that every machine runs the pinned ones."""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
ENVIRONMENT = {**os.environ, "PATH": PATH}


def tool(name: str) -> str | None:
    """The full path of a program such as "cmake", or None where there is none."""
    return shutil.which(name, path=PATH)
