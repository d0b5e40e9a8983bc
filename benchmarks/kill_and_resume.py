"""Kills a training with SIGKILL at random moments, resumes it each time, and compares with the unbroken run.

usage: python benchmarks/kill_and_resume.py [--kills 10] [--seed 0] [mbnn train options, e.g. --zoo resnet20]

Prints each moment and how far the run had come, then whether the final weights are equal. Exit code 1 if they are not.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mobile_bnn.run_folder import RunFolder

DEFAULTS = ["--zoo", "binary_lenet", "--method", "bnn", "--dataset", "digits", "--epochs", "30"]


def command(run: Path, options: list[str]) -> list[str]:
    """The training, resumed."""
    return [sys.executable, "-m", "mobile_bnn.cli.main", "train", "--run", str(run), "--resume", *options]


def weights(run: Path) -> list[np.ndarray]:
    """The final weights of a run."""
    from mobile_bnn.converters.source import load_model

    return load_model(RunFolder(run).model).get_weights()


def main() -> int:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments, options = parser.parse_known_args()
    options = options or DEFAULTS
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        began = time.monotonic()
        subprocess.run(command(whole, options), check=True, capture_output=True)
        length = time.monotonic() - began
        print(f"unbroken run: {length:.1f} s")
        for kill in range(1, arguments.kills + 1):
            # Start-up included, so that kills also fall before, between and into the writing of checkpoints.
            delay = moments.uniform(0.5, max(length / 2, 8.0))
            process = subprocess.Popen(command(broken, options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            ended = process.wait() == 0
            epochs = sorted(path.name for path in RunFolder(broken).checkpoints.glob("epoch-*"))
            state = "had already ended" if ended else "killed"
            print(f"kill {kill:2}: after {delay:5.2f} s, {state}, last whole epoch: {epochs[-1] if epochs else 'none'}")
        subprocess.run(command(broken, options), check=True, capture_output=True)
        pairs = list(zip(weights(whole), weights(broken), strict=True))
        equal = all(np.array_equal(mine, theirs) for mine, theirs in pairs)
        print(f"final weights equal: {equal} ({len(pairs)} tensors, {sum(mine.size for mine, _ in pairs):,} numbers)")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
