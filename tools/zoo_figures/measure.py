"""Builds, converts and times every architecture of the zoo, for `mbnn zoo list` and docs/zoo.md.

usage: python tools/zoo_figures/measure.py [--again] [NAME ...]

Each is kept as soon as it is measured, so what was broken off goes on where it stopped. What is measured already is
left out while its sources and the processor are the same; latency is the delegate's median with one thread, so measure
on a machine that does nothing else.
"""

import argparse
import ast
import hashlib
import sys
import tempfile
import time
from inspect import getsourcefile
from pathlib import Path

from mobile_bnn import legacy_keras as keras2
from mobile_bnn import pipeline, zoo
from mobile_bnn.converters import convert
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.training import Recipe
from mobile_bnn.zoo import counts
from mobile_bnn.zoo.figures import PATH, Figures, Table


def main() -> int:
    """Measures what is asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--again", action="store_true", help="measure also what is measured already")
    options = parser.parse_args()
    own = [name for name in zoo.names() if zoo.get(name).backbone.__module__.startswith("mobile_bnn.")]
    processor = local_machine().cpu
    nets = {name: each for name, each in (Table.load(PATH).nets if PATH.is_file() else {}).items() if name in own}
    for name in options.names or own:
        known = nets.get(name)
        if known and not options.again and (known.source, known.processor) == (digest(name), processor):
            continue
        nets[name] = measure(name, processor)
        Table(nets=dict(sorted(nets.items()))).save(PATH)
        found = nets[name]
        print(
            f"{name:28} {found.binary_macs:>15,} binary MACs {found.latency_ms:9.3f} ms {found.file_bytes:>12,} bytes "
            f"converted in {found.convert_s:.1f} s",
            flush=True,
        )
        keras2.tf.keras.backend.clear_session()
    return 0


def measure(name: str, processor: str) -> Figures:
    """All figures of one architecture."""
    method = Recipe.of_zoo(name).method
    model = zoo.build(name, method)
    counted = counts.of(model)
    entry = zoo.get(name)
    features = entry.features(method, keras2.layers.Input(entry.input_shape), zoo.network(name, {}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.tflite"
        began = time.perf_counter()
        convert(model, path)
        seconds = time.perf_counter() - began
        size = path.stat().st_size
        profile = pipeline.profile(path, engines=["delegate"], threads=[1]).record
    (measured,) = profile.measurements
    return Figures(
        method=method.card.name,
        strides=sorted(features),
        parameters=counted.parameters,
        binary_convolutions=counted.binary_convolutions,
        binary_macs=counted.binary_macs,
        float_macs=counted.float_macs,
        glue_visits=counted.glue_visits,
        file_bytes=size,
        convert_s=round(seconds, 1),
        latency_ms=measured.median_ms,
        kernel=measured.kernel,
        processor=processor,
        source=digest(name),
    )


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
