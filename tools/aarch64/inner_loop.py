"""What llvm-mca says of the NEON kernels' inner loops: cycles for 128 bit-MACs, beside the limit.

usage: python tools/aarch64/inner_loop.py

The limit is EOR, CNT and one addition (ADD or UDOT) for 16 bytes, all on vector pipes: 1.5 cycles with two pipes of 16
bytes (A72, A76), 3 with two pipes of 8 bytes (A55, which runs in order). Needs clang, aarch64-linux-gnu-g++ and
llvm-mca. The loop is the one with the most CNT.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
ITERATIONS = 200
LIMITS = {"cortex-a72": 1.5, "cortex-a76": 1.5, "cortex-a55": 3.0}
COMPILERS = {
    "GCC": ["aarch64-linux-gnu-g++"],
    "clang": ["clang++", "--target=aarch64-linux-gnu"],
}
KERNELS = {"neon": "-march=armv8-a", "neon_dot": "-march=armv8.2-a+dotprod"}
FLAGS = [
    "-std=gnu++17",
    "-O3",
    "-ffp-contract=off",
    "-fno-exceptions",
    "-fno-rtti",
    f"-I{ROOT / 'native'}",
    "-S",
    "-o-",
]


def assembly(compiler: list[str], kernel: str) -> str:
    """The kernel's source as assembly."""
    source = ROOT / "native" / "kernels" / f"{kernel}.cc"
    command = [*compiler, KERNELS[kernel], *FLAGS, str(source)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def hottest_loop(text: str) -> list[str]:
    """The instructions between a label and the branch back to it, of the loop with the most CNT."""
    best: list[str] = []
    label, body = "", list[str]()
    for line in text.splitlines():
        if found := re.match(r"(\.L\w+):", line):
            label, body = found[1], []
            continue
        instruction = re.split(r"\s*//", line.strip())[0]
        if not instruction or instruction[0] in ".#" or instruction.endswith(":"):
            continue
        body.append(instruction)
        branches_back = re.match(r"(b\.?\w\w|cbn?z|tbn?z)\b.*", instruction) and instruction.endswith(label)
        if label and branches_back and counts(body) > counts(best):
            best = list(body)
    return best


def counts(instructions: list[str]) -> int:
    """How many CNT there are: one for each 128 bit-MACs."""
    return sum(instruction.startswith("cnt") for instruction in instructions)


def cycles(instructions: list[str], cpu: str) -> float:
    """Cycles for 128 bit-MACs."""
    command = ["llvm-mca", "--march=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod", f"-iterations={ITERATIONS}"]
    text = "\n".join(instructions) + "\n"
    report = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    total = re.search(r"Total Cycles:\s+(\d+)", report)
    assert total is not None
    return int(total[1]) / ITERATIONS / counts(instructions)


def main() -> None:
    """Prints a table."""
    print(f"| kernel | compiler | {' | '.join(LIMITS)} |\n|---|---|{'---|' * len(LIMITS)}")
    for kernel in KERNELS:
        for name, compiler in COMPILERS.items():
            loop = hottest_loop(assembly(compiler, kernel))
            figures = [(cycles(loop, cpu), limit) for cpu, limit in LIMITS.items()]
            print(f"| {kernel} | {name} | " + " | ".join(f"{f:.2f} ({f / limit:.2f}x)" for f, limit in figures) + " |")


if __name__ == "__main__":
    main()
