"""What our architectures cost, measured once: `make zoo-figures` writes the record beside this file."""

from functools import cache
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn.records import Record

PATH = Path(__file__).with_name("figures.json")


class Figures(BaseModel):
    """Of one architecture with its recipe's method, for one image of the size that it was designed for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: str = Field(description="binarization method, that of the architecture's recipe")
    strides: list[int] = Field(description="of the backbone's maps, on which heads of tasks stand")
    parameters: int
    binary_convolutions: int = Field(description="layers with two binarized operands")
    binary_macs: int
    float_macs: int
    glue_visits: int = Field(description="elements that float operators between linear layers visit; see zoo.counts")
    file_bytes: int = Field(description="of the .tflite, with float32 weights where they are not binary")
    convert_s: float = Field(description="seconds of conversion, with its comparisons")
    latency_ms: float = Field(description="median of the delegate with one thread")
    kernel: str = Field(description="instruction set of the delegate")
    processor: str
    source: str = Field(description="SHA-256 of the sources that define the architecture")


class Table(Record):
    """By name."""

    kind: ClassVar[str] = "table of the zoo's figures"
    nets: dict[str, Figures] = Field(default_factory=dict)


@cache
def figures() -> dict[str, Figures]:
    """By architecture; none of those that another package brings."""
    return Table.load(PATH).nets if PATH.is_file() else {}
