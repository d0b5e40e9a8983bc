"""What pydantic found wrong with a user's values, in one line."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError


def problems(error: ValidationError, where: str = "") -> str:
    """Every problem as "field: what is wrong (got value)"; `where` is the section that the fields are in."""
    return "; ".join(_problem(problem, where) for problem in error.errors())


def _problem(problem: Mapping[str, Any], where: str) -> str:
    field = ".".join(str(part) for part in ((where,) if where else ()) + problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{field}: is missing"
    if problem["type"] == "value_error":  # ours: it names its field
        return f"{where}.{message}" if where else message
    return f"{field}: {message} (got {problem['input']!r})" if field else message
