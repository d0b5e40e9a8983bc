"""LCE's native interpreter, without the TensorFlow that its package imports."""

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from mobile_bnn.errors import MobileBnnError, first_line

# Under its full name LCE's own package, should it be imported too, finds this very module instead of a second copy.
_MODULE = "larq_compute_engine.tflite.python.interpreter_wrapper_lite"


def why_no_lce() -> str:
    """Why LCE's interpreter cannot run here, or an empty string. Cheap: loads no native code."""
    return "" if _path() else "the package larq-compute-engine is not installed"


def load_lce() -> Any:
    """Loads LCE's extension module, whose `LiteInterpreter` runs files.

    Raises:
        MobileBnnError: it is not installed or cannot be loaded.
    """
    if _MODULE in sys.modules:
        return sys.modules[_MODULE]
    path = _path()
    spec = spec_from_file_location(_MODULE, path) if path else None
    try:
        if spec is None or spec.loader is None:
            raise ImportError(why_no_lce())
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError as error:
        raise MobileBnnError(
            "the engine lce cannot be loaded", why=first_line(error), cure="pip install 'mobile-bnn[train]'"
        ) from error
    sys.modules[_MODULE] = module
    return module


def _path() -> Path | None:
    """The extension module's file. Finding a top-level package does not run its __init__."""
    package = find_spec("larq_compute_engine")
    for folder in (package and package.submodule_search_locations) or ():
        for path in sorted((Path(folder) / "tflite" / "python").glob("interpreter_wrapper_lite*.so")):
            return path
    return None
