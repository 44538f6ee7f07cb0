"""What HTTP says about identifiers after they were linked: what happens to them, and whose they are."""

from datetime import datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.members.domain.identifier_states import Happening
from services.members.domain.registry import Identifier, IdentifierKind
from services.members.repository.identifiers import Change
from services.members.schemas.registry import IDENTIFIERS_MAX, IdentifierAnswer, IdentifierBody
from shared.events.members import IdentifierState
from shared.ids import TOKEN_LENGTH_MAX
from shared.web import Body, CodeText, Flag

IdentifierHash: TypeAlias = Annotated[
    str, Field(pattern=r"^[0-9]{1,9}\.[A-Za-z0-9_-]{43}$", description="As the registry's answers name it.")
]
ReasonCode: TypeAlias = Annotated[CodeText, Field(description="A code of the programme, never free text.")]


class NamedIdentifierBody(Body):
    """An identifier, by its value or, where the caller does not have that, by its hash."""

    identifier: IdentifierBody | None = None
    identifier_hash: IdentifierHash | None = None

    @model_validator(mode="after")
    def _is_named_once(self) -> Self:
        if (self.identifier is None) == (self.identifier_hash is None):
            raise PydanticCustomError("named_once", "Send the identifier or its identifier_hash: one of the two")
        return self


class ChangeBody(NamedIdentifierBody):
    """What happened to an identifier, and why."""

    reason_code: ReasonCode


class ReplacementBody(Body):
    """One identifier out, another one of its type in. ``is_lost``: the old one is somewhere out there."""

    old: NamedIdentifierBody
    new: IdentifierBody
    reason_code: ReasonCode
    is_lost: Flag = False


class ResolveBody(Body):
    """What a till has read: one identifier, or several, of which the first in the programme's order counts."""

    type: IdentifierKind | None = None
    value: str | None = Field(default=None, min_length=1, max_length=TOKEN_LENGTH_MAX, repr=False)
    identifiers: list[IdentifierBody] | None = Field(default=None, min_length=1, max_length=IDENTIFIERS_MAX)

    @model_validator(mode="after")
    def _is_one_or_several(self) -> Self:
        if (self.type is None) != (self.value is None) or (self.type is None) == (self.identifiers is None):
            raise PydanticCustomError("one_or_several", "Send type and value of one identifier, or a list identifiers")
        return self

    @property
    def read(self) -> list[IdentifierBody]:
        """What was read, in the order in which it was sent."""
        if self.type is not None and self.value is not None:
            return [IdentifierBody(type=self.type, value=self.value)]
        return self.identifiers or []


class ResolvedAnswer(BaseModel):
    """Whose identifier it is; of several, by which type that was found."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    type: IdentifierKind | None = None


class ReplacementAnswer(BaseModel):
    """Both identifiers as they stand."""

    model_config = ConfigDict(frozen=True)

    old: IdentifierAnswer
    new: IdentifierAnswer

    @classmethod
    def of(cls, old: Identifier, new: Identifier) -> Self:
        """The answer for a replacement."""
        return cls(old=IdentifierAnswer.of(old), new=IdentifierAnswer.of(new))


class ChangeAnswer(BaseModel):
    """One thing that happened. ``identifier_id`` tells a member's identifiers apart and names no value."""

    model_config = ConfigDict(frozen=True)

    identifier_id: UUID
    version: int
    type: str
    action: Happening
    from_state: IdentifierState
    to_state: IdentifierState
    reason_code: str
    author: str
    changed_at: datetime

    @classmethod
    def of(cls, change: Change) -> Self:
        """The answer for a change."""
        return cls(type=change.identifier_type, **{k: v for k, v in change._asdict().items() if k != "identifier_type"})


class HistoryAnswer(BaseModel):
    """What happened to a member's identifiers, newest first."""

    model_config = ConfigDict(frozen=True)

    changes: list[ChangeAnswer]
