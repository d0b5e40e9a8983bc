"""Builds, converts and times every architecture of the zoo, for `mbnn zoo list` and docs/zoo.md.

usage: python tools/zoo_figures/measure.py [--again] [--convert-only] [NAME ...]

First all are converted, into build/zoo_figures, then all are timed, one after the other: latency is the delegate's
median with one thread, so time them on a machine that does nothing else. Each is kept at once, so what was broken off
goes on where it stopped; what is known already is left out while its sources, and for latency the processor, are the
same.
"""

import argparse
import ast
import hashlib
import json
import sys
import time
from inspect import getsourcefile
from pathlib import Path
from typing import Any

import numpy as np

from mobile_bnn import legacy_keras as keras2
from mobile_bnn import pipeline, zoo
from mobile_bnn.converters import convert
from mobile_bnn.files import write_text
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.training import Recipe
from mobile_bnn.zoo import counts
from mobile_bnn.zoo.batch_statistics import observe
from mobile_bnn.zoo.figures import PATH, Figures, Table

FOLDER = Path(__file__).resolve().parents[2] / "build" / "zoo_figures"


def main() -> int:
    """Measures what is asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--again", action="store_true", help="time also what is timed already")
    parser.add_argument("--convert-only", action="store_true", help="leave the timing for a quiet moment")
    options = parser.parse_args()
    own = [name for name in zoo.names() if zoo.get(name).backbone.__module__.startswith("mobile_bnn.")]
    nets = {name: each for name, each in (Table.load(PATH).nets if PATH.is_file() else {}).items() if name in own}
    names, processor = options.names or own, local_machine().cpu
    old = [
        name
        for name in names
        if options.again or name not in nets or (nets[name].source, nets[name].processor) != (digest(name), processor)
    ]
    for name in old:
        with keras2.traces_freed():
            converted(name)
    for name in [] if options.convert_only else old:
        nets[name] = timed(name, processor)
        Table(nets=dict(sorted(nets.items()))).save(PATH)
    return 0


def converted(name: str) -> dict[str, Any]:
    """What converting one architecture tells; its file and a record of it lie in build/zoo_figures."""
    path, record = FOLDER / f"{name}.tflite", FOLDER / f"{name}.json"
    if record.is_file():
        known: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        if known["source"] == digest(name):
            return known
    FOLDER.mkdir(parents=True, exist_ok=True)
    entry, method = zoo.get(name), Recipe.of_zoo(name).method
    model = zoo.build(name, method)
    observe(model, np.random.default_rng(0).normal(size=(2, *entry.input_shape)).astype(np.float32))
    counted = counts.of(model)
    features = entry.features(method, keras2.layers.Input(entry.input_shape), zoo.network(name, {}))
    began = time.perf_counter()
    convert(model, path)
    found = {
        "method": method.card.name,
        "strides": sorted(features),
        "parameters": counted.parameters,
        "binary_convolutions": counted.binary_convolutions,
        "binary_macs": counted.binary_macs,
        "float_macs": counted.float_macs,
        "glue_visits": counted.glue_visits,
        "file_bytes": path.stat().st_size,
        "convert_s": round(time.perf_counter() - began, 1),
        "source": digest(name),
    }
    write_text(record, json.dumps(found, indent=1) + "\n")
    print(f"{name:28} {found['file_bytes']:>12,} bytes, converted in {found['convert_s']:.1f} s", flush=True)
    return found


def timed(name: str, processor: str) -> Figures:
    """All figures of one architecture that is converted."""
    profile = pipeline.profile(FOLDER / f"{name}.tflite", engines=["delegate"], threads=[1]).record
    (measured,) = profile.measurements
    print(f"{name:28} {measured.median_ms:9.3f} ms", flush=True)
    return Figures(**converted(name), latency_ms=measured.median_ms, kernel=measured.kernel, processor=processor)


def digest(name: str) -> str:
    """Of the file that defines an architecture and of those of the zoo that it imports."""
    left, found = [Path(str(getsourcefile(zoo.get(name).backbone)))], dict[Path, bytes]()
    while left:
        path = left.pop()
        if path not in found:
            found[path] = path.read_bytes()
            left += _imported(ast.parse(found[path]))
    return hashlib.sha256(b"".join(found[path] for path in sorted(found))).hexdigest()


def _imported(tree: ast.Module) -> list[Path]:
    prefix = f"{zoo.__name__}."
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    paths = [
        PATH.parent.joinpath(*module.removeprefix(prefix).split("."))
        for module in modules
        if module.startswith(prefix) and not module.endswith((".architecture", ".network_options"))
    ]
    return [path.with_suffix(".py") for path in paths if path.with_suffix(".py").is_file()]


if __name__ == "__main__":
    sys.exit(main())
