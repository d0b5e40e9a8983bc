"""Runs the library's functions for Java where no Java VM runs: on musl, and on ARM processors that qemu emulates."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.android.processors import abi_of, arch_of, launch, need_processor


@dataclass(frozen=True)
class Job:
    """A model to run.

    Attributes:
        model: the file.
        threads: of the binary operators and of XNNPACK.
        isa: the instruction set, "" for the best.
        inputs: a file of samples; None: one of zeros.
        delegate: whether ours runs; else the runtime is alone.
    """

    model: Path
    threads: int = 1
    isa: str = ""
    inputs: Path | None = None
    delegate: bool = True


@dataclass(frozen=True)
class Answer:
    """What a job gave: outputs, or the class and the message of a Java exception; neither after a crash."""

    outputs: bytes | None = None
    exception: str = ""
    message: str = ""

    @property
    def crashed(self) -> bool:
        """Whether the process ended instead of answering."""
        return self.outputs is None and not self.exception


@dataclass(frozen=True)
class EmulatedVm:
    """java_vm with the libraries of an ABI, on one kind of processor.

    Attributes:
        programs: the folder of java_vm.
        library: ours.
        runtime: TensorFlow Lite's.
        processor: as qemu names it, or NATIVE.
        interpreter: "own" for BnnInterpreter, "tflite" for TensorFlow Lite's own with BnnDelegate.
    """

    programs: Path
    library: Path
    runtime: Path
    processor: str
    interpreter: str = "own"

    def run(self, jobs: Sequence[Job]) -> list[Answer]:
        """Answers each job; after a crash a new process goes on with the next one."""
        answers: list[Answer] = []
        while len(answers) < len(jobs):
            answers += self._run(jobs[len(answers) :])
        return answers

    def _run(self, jobs: Sequence[Job]) -> list[Answer]:
        program = self.programs / arch_of(self.processor) / "java_vm"
        arguments = [str(program), str(self.library), str(self.runtime), self.interpreter]
        command, environment = launch(self.processor, self.programs, arguments, [self.runtime.parent])
        lines = "".join(_line(job) for job in jobs)
        done = subprocess.run(
            command, input=lines, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode != 3, done.stderr[-2000:]  # the VM itself gave up
        answers = [_answer(line) for line in done.stdout.split("\n")[:-1]]  # a crash may cut the last line short
        assert done.returncode != 0 or len(answers) == len(jobs), done.stderr[-2000:]
        return answers if done.returncode == 0 else [*answers, Answer()]


def emulated_vm(
    programs: Path, libraries: Path, runtimes: Path, processor: str, interpreter: str = "own"
) -> EmulatedVm:
    """The VM for a processor; the calling test is skipped where what emulates it is missing."""
    need_processor(processor)
    abi = abi_of(processor)
    runtime = runtimes / abi / "libtensorflowlite_jni.so"
    return EmulatedVm(programs, libraries / abi / "libmobile_bnn_jni.so", runtime, processor, interpreter)


def _line(job: Job) -> str:
    return f"{job.model}\t{job.threads}\t{job.isa}\t{job.inputs or ''}\t{int(job.delegate)}\n"


def _answer(line: str) -> Answer:
    kind, _, rest = line.partition("\t")
    if kind != "outputs":
        return Answer(exception=kind, message=rest)
    outputs, _, thrown = rest.partition("\t")
    if thrown:
        kind, _, message = thrown.partition("\t")
        return Answer(exception=kind, message=message)
    return Answer(outputs=bytes.fromhex(outputs))
