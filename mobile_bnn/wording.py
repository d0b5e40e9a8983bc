"""How a sentence says a number of things, and a table which operator it means."""


def plural(number: int, noun: str, nouns: str = "") -> str:
    """A number and its noun: 1 thread, 2 threads, 1,000 runs; `nouns` where an s is not enough."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def operator_number(index: int, subgraph: int = 0) -> str:
    """What tables call an operator of a file: its index, in a subgraph after that one's number: 7, or 2:7."""
    return f"{subgraph}:{index}" if subgraph else str(index)
