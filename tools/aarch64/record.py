"""A pytest plugin: keeps what the native tests compute on x86, where they have just compared it with LCE.

usage: PYTHONPATH=tools/aarch64 pytest -p record --record-cases FOLDER tests/native
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Delegate, Interpreter
from cases import Array, CaseFile

sys.path.extend(str(Path(__file__).parents[2] / folder) for folder in ("tests", "tests/native"))
import single_operator


class Recorder:
    """Stands between the tests and the two functions through which all of them reach LiteRT."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, CaseFile()
        self.test, self.delegate, self.count = "", None, 0
        self.create, self.invoke = single_operator.create_interpreter, single_operator.invoke_outputs
        single_operator.create_interpreter = self.create_interpreter
        single_operator.invoke_outputs = self.invoke_outputs

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """A test begins."""
        self.test, self.delegate, self.count = item.name, None, 0
        return (yield)

    def create_interpreter(self, model: bytes, delegate: Delegate) -> Interpreter:
        """Notes the model."""
        interpreter = self.create(model, delegate)
        self.delegate = self.delegate or delegate
        if delegate is self.delegate:  # every other one computes the same
            interpreter.case = self.file.add(f"{self.test} {self.count}", only_binary(model), model)
            self.count += 1
        return interpreter

    def invoke_outputs(self, interpreter: Interpreter, *inputs: Array) -> list[Array]:
        """Notes what goes in and comes out."""
        outputs = self.invoke(interpreter, *inputs)
        if hasattr(interpreter, "case"):
            self.file.add_call(interpreter.case, inputs, outputs)
        return outputs

    def pytest_sessionfinish(self) -> None:
        """Writes the file."""
        self.file.write(self.folder)


def only_binary(model: bytes) -> bool:
    """Whether the delegate alone computes the model."""
    codes = schema.ModelT.InitFromPackedBuf(model).operatorCodes
    return all(code.builtinCode == schema.BuiltinOperator.CUSTOM for code in codes)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folder to write to."""
    parser.addoption("--record-cases", type=Path, required=True)


def pytest_configure(config: pytest.Config) -> None:
    """Begins to record."""
    config.pluginmanager.register(Recorder(config.getoption("--record-cases")))
