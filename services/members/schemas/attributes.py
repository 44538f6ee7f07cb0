"""What HTTP says about attributes."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.members.domain.attributes import Attribute, AttributeType, Entry, Outcome, shown
from services.members.schemas.fields import AnswerModel, Source
from shared.web import AwareTime, Body, CodeText, Flag

CHOICES_MAX = 100
TEXT_VALUE_LENGTH_MAX = 2_000
TEXT_VALUE_LENGTH_DEFAULT = 200


class AttributeBody(Body):
    """A new attribute. It never changes: choose another code for another meaning."""

    code: CodeText
    type: AttributeType
    is_personal: Flag = Field(description="Whether values say something of a person: then they are stored sealed.")
    choices: list[CodeText] = Field(
        default_factory=list,
        validate_default=True,
        max_length=CHOICES_MAX,
        description="For the type choice, and for no other.",
    )
    text_length_max: Annotated[StrictInt, Field(ge=1, le=TEXT_VALUE_LENGTH_MAX)] | None = Field(
        default=None, description=f"For the type text, and for no other; left out: {TEXT_VALUE_LENGTH_DEFAULT}."
    )

    @field_validator("choices")
    @classmethod
    def _belong_to_a_choice(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if "type" in info.data and (info.data["type"] == "choice") is not bool(value):
            raise PydanticCustomError("choices", "Choices belong to the type choice, and it needs some")
        if len(set(value)) != len(value):
            raise PydanticCustomError("choices", "Each of the choices may be named once")
        return value

    @field_validator("text_length_max")
    @classmethod
    def _belongs_to_a_text(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("type", "text") != "text":
            raise PydanticCustomError("text_length_max", "A length belongs to the type text")
        return value

    def attribute(self) -> Attribute:
        """The attribute to be declared."""
        length_max = (self.text_length_max or TEXT_VALUE_LENGTH_DEFAULT) if self.type == "text" else None
        return Attribute(self.code, self.type, self.is_personal, tuple(self.choices), length_max)


class AttributeValueBody(Body):
    """What is said of a member. A value of null takes away what was there."""

    value: (
        StrictBool
        | StrictInt
        | StrictFloat
        | Annotated[str, StringConstraints(min_length=1, max_length=TEXT_VALUE_LENGTH_MAX)]
        | None
    ) = Field(repr=False, description="A date is written 2026-03-01; a number may be written as text.")
    source: Source
    stated_at: AwareTime | None = Field(
        default=None, description="When it was said; left out: now. An older value changes nothing."
    )


class AttributeAnswer(AnswerModel):
    """An attribute that the programme declared."""

    code: str
    type: AttributeType
    is_personal: bool
    choices: list[str]
    text_length_max: int | None

    @classmethod
    def of(cls, attribute: Attribute) -> Self:
        """The answer for an attribute."""
        return cls(
            code=attribute.code,
            type=attribute.type,
            is_personal=attribute.is_personal,
            choices=list(attribute.choices),
            text_length_max=attribute.text_length_max,
        )


class AttributeSetAnswer(AnswerModel):
    """What became of a value: it holds, a newer one does, or it was there already. It is not repeated here."""

    entry_id: UUID
    member_id: UUID
    code: str
    outcome: Outcome
    source: str
    stated_at: datetime

    @classmethod
    def of(cls, entry: Entry, outcome: Outcome) -> Self:
        """The answer for an entry."""
        return cls(
            entry_id=entry.entry_id,
            member_id=entry.member_id,
            code=entry.code,
            outcome=outcome,
            source=entry.source,
            stated_at=entry.stated_at,
        )


class AttributeValueAnswer(AnswerModel):
    """A value with where it comes from. A number is text, so that none of its digits is lost; null was taken away."""

    entry_id: UUID
    code: str
    type: AttributeType
    is_personal: bool
    value: bool | str | None
    source: str
    stated_at: datetime
    recorded_at: datetime

    @classmethod
    def of(cls, attribute: Attribute, entry: Entry) -> Self:
        """The answer for an entry."""
        return cls(
            entry_id=entry.entry_id,
            code=attribute.code,
            type=attribute.type,
            is_personal=attribute.is_personal,
            value=None if entry.canonical is None else shown(attribute, entry.canonical),
            source=entry.source,
            stated_at=entry.stated_at,
            recorded_at=entry.recorded_at,
        )


class AttributesAnswer(AnswerModel):
    """What a member has under the programme's attributes."""

    member_id: UUID
    attributes: list[AttributeValueAnswer]
