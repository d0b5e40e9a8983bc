"""Counts wrong files by kind, and how many of those that change an output the comparison names.

python tools/exact_mutants/table.py [NETWORKS] [FROM]
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.converters.exact.exact_mutants import KINDS, mutants
from tests.converters.exact.exact_programs import exact_file


def main(networks: int = 60, start: int = 0) -> int:
    """Prints a table; returns how many went by unnamed."""
    made, alive, named, of_file = (Counter[str]() for _ in range(4))
    for seed in range(start, start + networks):
        file = exact_file(seed)
        for mutant in mutants(file, seed):
            made[mutant.kind] += 1
            alive[mutant.kind] += mutant.alive
            named[mutant.kind] += mutant.named
            of_file[file.kind] += mutant.alive
            if mutant.alive and not mutant.named:
                print(f"file {seed} ({file.kind}): {mutant.kind} went by unnamed", flush=True)
        print(f"{seed + 1 - start} of {networks} files, {alive.total()} alive", end="\r", file=sys.stderr, flush=True)
    for kind in (kind for kind in KINDS if made[kind]):
        print(f"{kind:26} {made[kind]:6} made {alive[kind]:6} alive {named[kind]:6} named")
    print(f"{'all':26} {made.total():6} made {alive.total():6} alive {named.total():6} named")
    print(", ".join(f"{count} alive in files of kind {kind}" for kind, count in of_file.items()))
    return alive.total() - named.total()


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
