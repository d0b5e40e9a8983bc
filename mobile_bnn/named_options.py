"""Options that belong to something with a name, such as the hyperparameters of a method."""

from abc import abstractmethod
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mobile_bnn.errors import UsageError
from mobile_bnn.names import unknown
from mobile_bnn.typing import Json
from mobile_bnn.validation import problems

N = TypeVar("N", bound="NamedOptions")


class NamedOptions(BaseModel):
    """A class of objects that recipes name; its fields are their options, all with defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def registered_name(cls) -> str:
        """Its name in recipes and on the command line."""

    @classmethod
    def create(cls: type[N], source: str = "", **fields: Json) -> N:
        """The object with these options.

        Raises:
            UsageError: one is unknown or out of range; `source` begins the message.
        """
        begin = f"{source}: " if source else ""
        for name in fields:
            if name not in cls.model_fields:
                what = unknown(f"field of {cls.kind} {cls.registered_name()}", name, list(cls.model_fields))
                raise UsageError(f"{begin}{what}")
        try:
            return cls(**fields)
        except ValidationError as error:
            raise UsageError(f"{begin}{problems(error, cls.kind)}") from error
