"""How a sentence says a number of things."""


def plural(number: int, noun: str, nouns: str = "") -> str:
    """A number and its noun: 1 thread, 2 threads, 1,000 runs; `nouns` where an s is not enough."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
