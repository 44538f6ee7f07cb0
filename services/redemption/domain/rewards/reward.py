"""A reward as the programme offers it: one document, with a version for each change. Amounts are minor units of the
programme's currency, points whole numbers of their type's smallest unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)

from shared.as_written import Lines, OneLine, Time

POINTS_MAX = 10**12
LANGUAGES_MAX = 30
PICTURES_MAX = 10
CODES_MAX = 100
VALID_DAYS_MAX = 3_650
PER_MEMBER_MAX = 10_000

CodeText = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
TitleText = Annotated[OneLine, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
DescriptionText = Annotated[Lines, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
PictureUrl = Annotated[OneLine, StringConstraints(max_length=500, pattern=r"^https://[^\s/]+/\S+$")]
Codes = Annotated[tuple[CodeText, ...], Field(min_length=1, max_length=CODES_MAX)]

# unlimited: a code is made for whoever takes one. pieces: so many as the programme has added. imported: one for each
# code that the partner has brought.
Supply: TypeAlias = Literal["unlimited", "pieces", "imported"]
# with_void: a used voucher's points and piece go back where its receipt is voided. never: what was done stays done.
ComesBack: TypeAlias = Literal["with_void", "never"]


class RewardTerms(BaseModel):
    """All that is said of a reward. What is not said does not matter.

    ``partner_id`` gives it and is owed its points; ``stores`` are those of its stores where a voucher counts. It costs
    ``points``, and ``money_minor`` beside them, which the programme takes. ``cost_minor`` is what one costs the
    programme, which partners are not told. A voucher counts for ``valid_days`` from its issue, and never after
    ``valid_until``. A member has at most ``per_member_max``, in the last ``per_member_days`` where that is said.
    ``tiers``: only members who are in one of these by now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    partner_id: CodeText
    titles: Annotated[Mapping[Language, TitleText], Field(min_length=1, max_length=LANGUAGES_MAX)]
    descriptions: Annotated[Mapping[Language, DescriptionText], Field(default_factory=dict, max_length=LANGUAGES_MAX)]
    pictures: Annotated[tuple[PictureUrl, ...], Field(max_length=PICTURES_MAX)] = ()
    categories: Annotated[tuple[CodeText, ...], Field(max_length=CODES_MAX)] = ()
    points: Annotated[StrictInt, Field(ge=1, le=POINTS_MAX)]
    money_minor: Annotated[StrictInt, Field(ge=0, le=POINTS_MAX)] = 0
    point_type: CodeText | None = Field(default=None, description="The programme's own, where it is left out.")
    cost_minor: Annotated[StrictInt, Field(ge=0, le=POINTS_MAX)] | None = None
    supply: Supply = "pieces"
    offered_from: Time | None = None
    offered_until: Time | None = None
    valid_days: Annotated[StrictInt, Field(ge=1, le=VALID_DAYS_MAX)] = 90
    valid_until: Time | None = None
    stores: Codes | None = None
    tiers: Codes | None = None
    per_member_max: Annotated[StrictInt, Field(ge=1, le=PER_MEMBER_MAX)] | None = None
    per_member_days: Annotated[StrictInt, Field(ge=1, le=VALID_DAYS_MAX)] | None = None
    is_withdrawn: StrictBool = False
    comes_back: ComesBack = Field(
        default="with_void", description="What becomes of a used voucher whose receipt is voided."
    )

    @model_validator(mode="after")
    def _is_possible(self) -> "RewardTerms":
        if self.offered_from is not None and self.offered_until is not None and self.offered_until <= self.offered_from:
            raise ValueError("offered_until is not after offered_from")
        if self.per_member_days is not None and self.per_member_max is None:
            raise ValueError("per_member_days says in which time per_member_max counts: name that too")
        if not self.descriptions.keys() <= self.titles.keys():
            raise ValueError("a language that has a description has a title too")
        return self

    def expires_at(self, issued_at: datetime) -> datetime:
        """Until when a voucher counts that is issued at this time."""
        by_days = issued_at + timedelta(days=self.valid_days)
        return by_days if self.valid_until is None else min(by_days, self.valid_until)

    def counts_since(self, now: datetime) -> datetime | None:
        """Since when a member's vouchers count against ``per_member_max``; None: all of them."""
        return None if self.per_member_days is None else now - timedelta(days=self.per_member_days)


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward at its present version; ``author`` made that."""

    reward_id: str
    version: int
    terms: RewardTerms
    changed_at: datetime
    author: str
