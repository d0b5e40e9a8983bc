"""Case files: models with inputs, and what they gave on x86. Needs NumPy alone, as it is read on ARM too."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass
class Call:
    """One inference: numbers of arrays."""

    inputs: list[int]
    outputs: list[int]


@dataclass
class Case:
    """Inferences in one interpreter. `exact`: every bit must agree, no float operator of the runtime's is in it."""

    name: str
    exact: bool
    model: int
    calls: list[Call] = field(default_factory=list)


class CaseFile:
    """Cases and the arrays that they share, in a folder."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.arrays: list[Array] = []

    def add(self, name: str, exact: bool, model: bytes) -> Case:
        """A new case, which has no calls yet."""
        case = Case(name, exact, self._keep(np.frombuffer(model, np.uint8)))
        self.cases.append(case)
        return case

    def add_call(self, case: Case, inputs: Sequence[Array], outputs: Sequence[Array]) -> None:
        """One more inference of a case."""
        case.calls.append(Call([self._keep(x) for x in inputs], [self._keep(x) for x in outputs]))

    def _keep(self, array: Array) -> int:
        self.arrays.append(np.array(array))
        return len(self.arrays) - 1

    def write(self, folder: Path) -> None:
        """Writes the cases that have calls."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "arrays.npz", *self.arrays)
        (folder / "cases.json").write_text(json.dumps([asdict(case) for case in self.cases if case.calls]))

    @classmethod
    def read(cls, folder: Path) -> "CaseFile":
        """Reads what `write` wrote."""
        file = cls()
        with np.load(folder / "arrays.npz") as arrays:
            file.arrays = [arrays[f"arr_{number}"] for number in range(len(arrays.files))]
        for case in json.loads((folder / "cases.json").read_text()):
            file.cases.append(Case(**{**case, "calls": [Call(**call) for call in case["calls"]]}))
        return file
