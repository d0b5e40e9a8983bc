"""Runs case files where they must give what they gave on x86, with instruction sets that are expected here.

usage: replay.py LIBRARY ISAS CHOSEN FOLDER...   e.g. replay.py LIBRARY neon_dot,neon,portable neon_dot cases
       replay.py LIBRARY --one FOLDER            one convolution with the default instruction set, to look at what ran

ISAS are all that the CPU has, the default first; CHOSEN are those of them that run the cases.
"""

import ctypes
import sys
import time
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Delegate, Interpreter, OpResolverType, load_delegate
from cases import Array, Call, Case, CaseFile

KNOWN = ("neon_dot", "neon", "portable")
DIGITS = 1e-5  # how far scores of a whole model may be apart


def load(library: str, expected: list[str]) -> dict[str, Delegate]:
    """A delegate for each expected instruction set; the others must be refused, and the first be the default."""
    default = ctypes.CDLL(library).mobile_bnn_default_isa
    default.restype = ctypes.c_char_p
    delegates = {isa: delegate for isa in KNOWN if (delegate := load_one(library, isa, isa in expected)) is not None}
    if [default().decode(), set(delegates)] != [expected[0], set(expected)]:
        raise SystemExit(f"expected {expected}, the library runs {list(delegates)}, by default {default().decode()}")
    return delegates


def load_one(library: str, isa: str, expected: bool) -> Delegate | None:
    """A delegate with that instruction set, None if it is refused as it should be."""
    try:
        return load_delegate(library, {"isa": isa})
    except ValueError as error:
        if expected or f"this CPU has no {isa}" not in str(error):
            raise
        return None


def run(file: CaseFile, case: Case, delegate: Delegate) -> str | None:
    """What is wrong, if anything is."""
    # As on x86: float operators beside the binary ones are XNNPACK's in a zoo model, plain ones in a test.
    of_a_test = case.name.startswith("test_")
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if of_a_test else OpResolverType.AUTO
    interpreter = Interpreter(
        model_content=file.arrays[case.model].tobytes(),
        experimental_delegates=[delegate],
        experimental_op_resolver_type=resolver,
    )
    answers = [_call(interpreter, file, case, call) for call in case.calls]
    # Where XNNPACK rounds differently, one of a million values before a sign may change it, and with it the scores of
    # that image. A wrong kernel would change the scores of every image.
    return next(filter(None, answers), None) if case.exact or of_a_test or all(answers) else None


def _call(interpreter: Interpreter, file: CaseFile, case: Case, call: Call) -> str | None:
    """What is wrong with one inference, if anything is."""
    details = interpreter.get_input_details()
    inputs = [file.arrays[number] for number in call.inputs]
    for detail, x in zip(details, inputs, strict=True):
        if tuple(detail["shape"]) != x.shape:
            interpreter.resize_tensor_input(detail["index"], x.shape)
    interpreter.allocate_tensors()
    for detail, x in zip(details, inputs, strict=True):
        interpreter.set_tensor(detail["index"], x)
    interpreter.invoke()
    for number, detail in zip(call.outputs, interpreter.get_output_details(), strict=True):
        wrong = compare(interpreter.get_tensor(detail["index"]), file.arrays[number], case.exact)
        if wrong:
            return wrong
    return None


def compare(actual: Array, expected: Array, exact: bool) -> str | None:
    """How two outputs differ beyond what may be."""
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return f"{actual.dtype}{actual.shape} instead of {expected.dtype}{expected.shape}"
    same = np.array_equal(actual.view(np.uint8), expected.view(np.uint8))
    if same or (not exact and np.allclose(actual, expected, rtol=DIGITS, atol=DIGITS)):
        return None
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    return f"{np.count_nonzero(difference)} of {difference.size} values differ, by up to {difference.max()}"


def main() -> None:
    """Exit status 1 if anything differs."""
    library, isas, chosen, *folders = sys.argv[1:]
    if isas == "--one":
        file = CaseFile.read(Path(chosen))
        case = next(case for case in file.cases if case.name.startswith("test_long_accumulations"))
        raise SystemExit(run(file, case, load_delegate(library)))
    delegates = load(library, isas.split(","))
    failures = 0
    for folder in folders:
        file = CaseFile.read(Path(folder))
        for isa in chosen.split(","):
            start = time.monotonic()
            for case in file.cases:
                if wrong := run(file, case, delegates[isa]):
                    failures += 1
                    print(f"  {isa}: {case.name}: {wrong}")
            exact = sum(case.exact for case in file.cases)
            print(
                f"  {Path(folder).name}, {isa}: {exact} cases bit for bit, {len(file.cases) - exact} to {DIGITS},"
                f" {failures} failures so far, {time.monotonic() - start:.0f} s",
                flush=True,
            )
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
