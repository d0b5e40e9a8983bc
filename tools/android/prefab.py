"""The part of an .aar from which Android's build takes a native library and its headers, in the layout of Prefab.

With `buildFeatures { prefab true }` an app's CMakeLists.txt finds it by `find_package(mobile_bnn)`.
"""

import json
from pathlib import Path

import mobile_bnn

PACKAGE = "mobile_bnn"
MODULE = "mobile_bnn_jni"
_SCHEMA_VERSION = 2
_API = 26  # as AndroidManifest.xml says
_NDK = 21  # any: the library is built without one, and shares no C++ with the app


def entries(headers: Path, libraries: dict[str, Path]) -> dict[str, bytes]:
    """The files of the archive by their names in it.

    Args:
        headers: the folder that is to be on the include path.
        libraries: by ABI.
    """
    package = {
        "schema_version": _SCHEMA_VERSION,
        "name": PACKAGE,
        "version": mobile_bnn.__version__,
        "dependencies": [],
    }
    module = f"prefab/modules/{MODULE}"
    found = {
        "prefab/prefab.json": _json(package),
        f"{module}/module.json": _json({"export_libraries": [], "library_name": f"lib{MODULE}"}),
    }
    for path in sorted(headers.rglob("*.h")):
        found[f"{module}/include/{path.relative_to(headers).as_posix()}"] = path.read_bytes()
    for abi, library in libraries.items():
        about = {"abi": abi, "api": _API, "ndk": _NDK, "stl": "none", "static": False}
        found[f"{module}/libs/android.{abi}/abi.json"] = _json(about)
        found[f"{module}/libs/android.{abi}/{library.name}"] = library.read_bytes()
    return found


def _json(content: dict[str, object]) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
