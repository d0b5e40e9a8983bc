"""In which order tests run, `--shuffle SEED`, and that all processes call them by the same names."""

import random
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController


_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="run the files, and the tests of each, in a random order"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuses names that differ from process to process, and shuffles."""
    refusal = refusal_of([item.nodeid for item in items])
    if refusal:
        raise pytest.UsageError(refusal)
    seed = config.getoption("--shuffle")
    if seed is not None:
        items[:] = shuffled(items, seed)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: "WorkerController", ids: list[str]) -> None:
    """Says why, where pytest-xdist itself says only that two workers collected different tests."""
    refusal = refusal_of(ids)
    if refusal:
        node.config.get_terminal_writer().line(f"{node.gateway.id}: {refusal}")


def refusal_of(names: Sequence[str]) -> str:
    """What is wrong with the tests' names; empty if nothing is."""
    changing = [name for name in names if _ADDRESS.search(name)]
    if not changing:
        return ""
    return (
        f"{len(changing)} tests have an object's address in their name, which differs in every process: "
        f"{changing[0]}. Cure: pytest.param(..., id=...) or ids=..."
    )


def shuffled(items: list[pytest.Item], seed: int) -> list[pytest.Item]:
    """The tests in another order, which a seed repeats. Those of a file stay together, as they share fixtures."""
    chance = random.Random(seed)
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    names = list(files)
    chance.shuffle(names)
    for tests in files.values():
        chance.shuffle(tests)
    return [item for name in names for item in files[name]]
