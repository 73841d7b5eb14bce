# pyright: strict
"""Values that are written down and read again, perhaps by another process, years later or by a hostile hand."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import PerpetuumError


class Stored(BaseModel):
    """Base of frozen plain data with a JSON form of its own; whoever inherits has a `version`.

    Finite numbers go to JSON and back exactly; there is no other number in JSON.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    described: ClassVar[str] = "value"
    """What it is called in messages."""

    def to_json(self) -> str:
        """Its JSON form, on one line."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read its JSON form.

        Raises:
            PerpetuumError: it is no JSON, of another version, or not what such a value is; says what is wrong where.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            raise PerpetuumError(
                f"{cls.described} cannot be read: " + (f"{where}: " if where else "") + first["msg"],
                "it was damaged, or written by another version; begin without it",
            ) from error
