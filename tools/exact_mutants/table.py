"""Counts wrong files by kind, and how many of those that change an output the comparison names.

python tools/exact_mutants/table.py [NETWORKS] [FROM]
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.converters.exact.exact_mutants import mutants
from tests.converters.exact.test_exact_random import exact_network


def main(networks: int = 60, start: int = 0) -> int:
    """Prints a table; returns how many went by unnamed."""
    made, alive, named = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(start, start + networks):
        for mutant in mutants(exact_network(seed)):
            made[mutant.kind] += 1
            alive[mutant.kind] += mutant.alive
            named[mutant.kind] += mutant.named
            if mutant.alive and not mutant.named:
                print(f"network {seed}: {mutant.kind} went by unnamed", flush=True)
    for kind in made:
        print(f"{kind:26} {made[kind]:6} made {alive[kind]:6} alive {named[kind]:6} named")
    print(f"{'all':26} {made.total():6} made {alive.total():6} alive {named.total():6} named")
    return alive.total() - named.total()


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
