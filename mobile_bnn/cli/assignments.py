"""`--set FIELD=VALUE`: fields of a recipe, or options of a network."""

from collections.abc import Sequence

from mobile_bnn.errors import UsageError
from mobile_bnn.typing import JsonObject


def assigned(assignments: Sequence[str], example: str = "label_smoothing=0.1") -> JsonObject:
    """The fields of --set, each value read as TOML; a bare word is a string, and nothing at all is None.

    Args:
        assignments: as they were typed.
        example: of one, for the message.

    Raises:
        UsageError: one is not FIELD=VALUE.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    fields: JsonObject = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not all(part.isidentifier() for part in name.split(".")):
            raise UsageError(f"--set {assignment!r} is not FIELD=VALUE", cure=f"For example: --set {example}")
        try:
            fields[name] = tomlkit.value(value).unwrap() if value else None
        except TOMLKitError:
            fields[name] = value
    return fields
