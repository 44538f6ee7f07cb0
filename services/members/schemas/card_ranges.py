"""What HTTP says about ranges of printed cards."""

from typing import Annotated, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.members.domain.card_ranges import CardRange, RangeState
from services.members.domain.cards import CheckDigit
from services.members.schemas.identifiers import ReasonCode
from shared.web import Body, CodeText, Flag

CARD_LENGTH_MIN, CARD_LENGTH_MAX = 4, 40

Digits: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{1,38}$")]


class CardRangeBody(Body):
    """Cards from ``prefix`` and ``first`` to ``prefix`` and ``last``, check digits included."""

    batch: CodeText
    prefix: Annotated[str, Field(pattern=r"^[0-9A-Z]{0,20}$")] = ""
    first: Digits
    last: Digits
    check_digit: CheckDigit = "none"
    links_before_issue: Flag = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if len(self.first) != len(self.last) or self.first > self.last:
            raise PydanticCustomError("range", "first and last need as many digits as each other, and the right order")
        if not CARD_LENGTH_MIN <= len(self.prefix + self.first) <= CARD_LENGTH_MAX:
            raise PydanticCustomError("length", "a card number has 4 to 40 letters and digits")
        return self


class CardRangeChangeBody(Body):
    """Why a range is issued or withdrawn."""

    reason_code: ReasonCode


class CardRangeAnswer(BaseModel):
    """A range as it stands."""

    model_config = ConfigDict(frozen=True)

    range_id: UUID
    batch: str
    first_number: str
    last_number: str
    check_digit: CheckDigit
    links_before_issue: bool
    state: RangeState

    @classmethod
    def of(cls, card_range: CardRange) -> Self:
        """The answer for a range."""
        return cls(
            range_id=card_range.range_id,
            batch=card_range.batch,
            first_number=card_range.first_number,
            last_number=card_range.last_number,
            check_digit=card_range.check_digit,
            links_before_issue=card_range.links_before_issue,
            state=card_range.state,
        )


class CardRangesAnswer(BaseModel):
    """All ranges, in the order of their numbers."""

    model_config = ConfigDict(frozen=True)

    ranges: list[CardRangeAnswer]
