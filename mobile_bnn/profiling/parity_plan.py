"""Which files are compared with which, on which inputs, in a session; and the files that the inputs travel in."""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from mobile_bnn.native_output import filtered_stderr
from mobile_bnn.profile_records import Parity
from mobile_bnn.profiling.engines import ENGINES
from mobile_bnn.profiling.engines.engine import Spec
from mobile_bnn.profiling.jobs import Job
from mobile_bnn.profiling.parity import Ends, compare, decoded, given_samples, outputs_of, random_samples
from mobile_bnn.profiling.summary import Content
from mobile_bnn.runtime import read_model
from mobile_bnn.runtime.describe import tensor_type
from mobile_bnn.typing import Array


@dataclass(frozen=True)
class Inputs:
    """Samples in a file."""

    path: Path
    sha256: str
    samples: int
    what: str


class ParityPlan:
    """The comparisons of a session; a context, for its inputs lie in a temporary folder.

    Attributes:
        files: the inputs, to be staged on the target.
    """

    def __init__(
        self, contents: Mapping[Path, Content], references: Mapping[Path, Path], samples: Sequence[Array] | None
    ) -> None:
        wanted = {file: float_file for file, float_file in references.items() if file in contents}
        found = {path: ends(path) for path in {*wanted, *wanted.values()}}
        self._ends = {path: each for path, each in found.items() if each is not None}
        self._references = {
            file: float_file
            for file, float_file in wanted.items()
            if file in self._ends and float_file in self._ends and self._alike(file, float_file)
        }
        self._samples = samples
        self._inputs: dict[Path, Inputs] = {}
        self._outputs: dict[Path, list[Array]] = {}

    def __enter__(self) -> "ParityPlan":
        self._folder = tempfile.TemporaryDirectory(prefix="mobile_bnn-")
        for file, reference in self._references.items():
            inputs = self._inputs.get(reference) or self._written(self._ends[file], len(self._inputs))
            self._inputs.setdefault(file, inputs)
            self._inputs.setdefault(reference, inputs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    @property
    def files(self) -> list[Path]:
        """The inputs, each once."""
        return list(dict.fromkeys(inputs.path for inputs in self._inputs.values()))

    def inputs_for(self, job: Job) -> Inputs | None:
        """What a job's file is to compute for the comparison; None if it takes no part."""
        return self._inputs.get(job.path)

    def collect(self, outputs: Mapping[Job, Sequence[str]]) -> None:
        """Takes the references' outputs, out of those of a session's jobs; what is not there is computed here."""
        for reference in set(self._references.values()):
            told = [each for job, each in outputs.items() if job.path == reference and job.engine == "litert" and each]
            found = told[0] if told else self._computed(reference)
            self._outputs[reference] = decoded(found, self._ends[reference], self._inputs[reference].samples)

    def compared(self, job: Job, outputs: Sequence[str]) -> Parity | None:
        """A job's outputs beside those of its reference; None if it has none."""
        reference, inputs = self._references.get(job.path), self._inputs.get(job.path)
        if reference is None or inputs is None or not outputs:
            return None
        found = decoded(outputs, self._ends[job.path], inputs.samples)
        return compare(found, self._outputs[reference], file=reference, inputs=inputs.what)

    def _alike(self, file: Path, reference: Path) -> bool:
        """Whether both take the same inputs; a file of int8 inputs takes other numbers than a float one."""
        return self._ends[file].inputs == self._ends[reference].inputs

    def _written(self, model: Ends, number: int) -> Inputs:
        given = self._samples
        samples = min([model.samples, *(len(array) for array in given or [])])
        content = random_samples(model, samples) if given is None else given_samples(model, given, samples)
        path = Path(self._folder.name) / f"inputs-{number}.bin"
        path.write_bytes(content)
        what = "random" if given is None else "given samples"
        return Inputs(path, hashlib.sha256(content).hexdigest(), samples, what)

    def _computed(self, reference: Path) -> list[str]:
        inputs = self._inputs[reference]
        with filtered_stderr():
            session = ENGINES["litert"].load(reference.read_bytes(), "xnnpack", 1)
            return outputs_of(session, inputs.path.read_bytes(), inputs.samples)


def ends(path: Path) -> Ends | None:
    """The inputs and outputs of a file's main graph, in its order; None if they are not numbers."""
    model = read_model(path)
    graph = model.subgraphs[0]

    def specs(tensors: Sequence[int]) -> tuple[Spec, ...]:
        return tuple(Spec.of(graph.tensors[each].shape, tensor_type(graph.tensors[each])) for each in tensors)

    try:
        return Ends(specs(graph.inputs), specs(graph.outputs))
    except TypeError:  # strings, or numbers that NumPy lacks
        return None
