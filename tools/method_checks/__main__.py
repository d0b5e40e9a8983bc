"""Checks every method by the kit in a longer training, and keeps what it finds for the list and docs/methods.md.

usage: python tools/method_checks [--epochs 10] [--again] [--folder build/method_checks] [METHOD ...]

Every method's outcome is a file, so a check that was broken off goes on where it stopped, and several may run at once
on different methods. What has passed is checked anew when the method's file has changed, or with --again.
"""

import argparse
import hashlib
import json
import sys
import time
import traceback
from pathlib import Path

from mobile_bnn import methods
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods.checked import RECORD, Checked
from mobile_bnn.wording import plural

ROOT = Path(__file__).resolve().parents[2]
LEAST_ACCURACY = 0.5  # five times what guessing reaches


def main() -> int:
    """Runs the checks and returns the exit code: 1 where one fails."""
    options = _options()
    # As two devices, which a method must train on as on one.
    cpu, two = tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    names = options.methods or [name for name in methods.names() if _is_ours(name)]
    options.folder.mkdir(parents=True, exist_ok=True)
    failures = []
    for position, name in enumerate(names, 1):
        path = options.folder / f"{name}.json"
        if options.again or not _is_current(path, name):
            began = time.perf_counter()
            outcome = _check(name, options.epochs)
            path.write_text(json.dumps({"source": _digest(name), **outcome}, indent=1) + "\n", encoding="utf-8")
            _keep(options.folder)
            print(f"{position}/{len(names)} {_line(name, outcome)} ({time.perf_counter() - began:.0f} s)", flush=True)
        if "error" in json.loads(path.read_text(encoding="utf-8")):
            failures.append(name)
    _keep(options.folder)
    print(
        f"{plural(len(names) - len(failures), 'method')} of {len(names)} pass"
        + "".join(f"\nFAILED {f}" for f in failures)
    )
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="all of ours by default")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--again", action="store_true", help="check also what has passed before")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "method_checks")
    return parser.parse_args()


def _is_ours(name: str) -> bool:
    return methods.get(name).__module__.startswith("mobile_bnn.")


def _check(name: str, epochs: int) -> dict[str, object]:
    from mobile_bnn.testing import check_method

    try:
        return {"checked": check_method(name, epochs=epochs, least_accuracy=LEAST_ACCURACY).model_dump()}
    except (AssertionError, MobileBnnError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    except Exception:  # a fault of the method's code: the others are checked all the same
        return {"error": traceback.format_exc()}


def _digest(name: str) -> str:
    module = sys.modules[methods.get(name).__module__]
    return hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()


def _is_current(path: Path, name: str) -> bool:
    if not path.is_file():
        return False
    outcome = json.loads(path.read_text(encoding="utf-8"))
    return "checked" in outcome and outcome["source"] == _digest(name)


def _line(name: str, outcome: dict[str, object]) -> str:
    if "error" in outcome:
        return f"{name}: FAILED\n{outcome['error']}"
    found = Checked.model_validate(outcome["checked"])
    layers, bconvs = plural(found.binary_layers, "binary layer"), found.binary_convolutions
    return f"{name}: best epoch {found.best_accuracy:.1%}, test {found.test_accuracy:.1%}, {layers}, {bconvs} bconvs"


def _keep(folder: Path) -> None:
    """Writes what has passed beside the methods; what this folder knows nothing of keeps its record."""
    record = ROOT / "mobile_bnn" / "methods" / RECORD
    before = json.loads(record.read_text(encoding="utf-8"))["methods"] if record.is_file() else []
    passed = {each["method"]: each for each in before if each["method"] in methods.names()}
    for path in sorted(folder.glob("*.json")):
        outcome = json.loads(path.read_text(encoding="utf-8"))
        passed.pop(path.stem, None)
        if "checked" in outcome:
            passed[path.stem] = outcome["checked"]
    kept = [passed[name] for name in sorted(passed)]
    record.write_text(json.dumps({"methods": kept}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
