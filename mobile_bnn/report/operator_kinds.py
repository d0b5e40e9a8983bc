"""What kind of work an operator is: where the time of an inference goes, in five words."""

from typing import Literal

from mobile_bnn.profile_records import OperatorLatency

Kind = Literal["binary", "packing", "glue", "float", "outside"]

KINDS: dict[Kind, str] = {
    "binary": "convolutions, dense layers, products and pools of bits, with what runs in the same pass",
    "packing": "LceQuantize and LceDequantize alone: floats to bits and back",
    "glue": "float operators that our library runs in a pass of their own, packing included",
    "float": "operators that the runtime or XNNPACK runs",
    "outside": "copying in and out, and the runtime itself",
}
_BINARY = {"LceBconv2d", "LceBMaxPool2d", "BATCH_MATMUL"}
_PACKING = {"LceQuantize", "LceDequantize"}


def operator_kind(operator: OperatorLatency) -> Kind:
    """Of one operator, or of several that run as one: what is binary in it decides."""
    if operator.runs_in != "delegate":
        return "float"
    names = set(operator.name.split("+"))
    if names & _BINARY:
        return "binary"
    return "packing" if names <= _PACKING else "glue"
