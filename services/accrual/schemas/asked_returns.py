"""What HTTP says of returns that are asked about before there is one."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from services.accrual.domain.asked_returns import LineAsked
from services.accrual.schemas.documents import LINES_MAX
from services.accrual.schemas.fields import Answer
from services.accrual.use_cases.preview_return import ComesBack, PreviewedReturn
from shared.ledger import ClawBackPolicy
from shared.web.strict import Body, CodeText, PositivePoints, WholeNumber

# Redemptions of a receipt, and whoever lent points to them.
COMING_BACK_MAX = 1_000
QUANTITY_THOUSANDTHS_MAX = 10**12


class AskedLineBody(Body):
    """So much of a line of the receipt."""

    line_id: WholeNumber
    quantity_thousandths: Annotated[StrictInt, Field(gt=0, le=QUANTITY_THOUSANDTHS_MAX)]


class ComesBackBody(Body):
    """Points that had paid for the goods, and are a member's again by the return."""

    member_id: UUID
    point_type: CodeText
    points: PositivePoints


class ReturnPreviewBody(Body):
    """Goods of a receipt that are to come back."""

    original_receipt_id: Annotated[str, Field(min_length=2, max_length=700)]
    lines: Annotated[tuple[AskedLineBody, ...], Field(min_length=1, max_length=LINES_MAX)]
    comes_back: Annotated[tuple[ComesBackBody, ...], Field(max_length=COMING_BACK_MAX)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise PydanticCustomError("line_twice", "Line ids name lines: each may stand once")
        return self

    def lines_asked(self) -> list[LineAsked]:
        """The lines."""
        return [LineAsked(line.line_id, line.quantity_thousandths) for line in self.lines]

    def coming_back(self) -> list[ComesBack]:
        """What is given back."""
        return [ComesBack(one.member_id, one.point_type, one.points) for one in self.comes_back]


class BoughtLineAnswer(Answer):
    """A line of the receipt as it stands, and how much of it came back so far."""

    line_id: int
    quantity_thousandths: int
    amount_minor: int
    returned_thousandths: int


class GoodsAnswer(Answer):
    """What the receipt sold. ``points_minor`` of it points have paid; ``is_exchange``: an exchange handed it over."""

    occurred_at: datetime
    points_minor: int
    is_exchange: bool
    lines: list[BoughtLineAnswer]


class TakenAnswer(Answer):
    """Points of a type that would be taken: ``from_pending`` of them still wait, ``lacking`` are not there, of which
    nobody would owe those that are ``forgiven``."""

    point_type: str
    points: int
    from_pending: int
    lacking: int
    forgiven: int


class TakenOfLineAnswer(Answer):
    """What a line would take of a type, in addition to the lines before it: below zero where goods before it had taken
    more than is taken of both. ``lacking`` is its part of what is not there."""

    line_id: int
    point_type: str
    points: int
    lacking: int


class ReturnPreviewAnswer(Answer):
    """What would become of the return. Nothing was recorded.

    ``awaiting``: nobody knows such a receipt yet. ``parked``: the return would wait, since its receipt does.
    ``refused``: it would take nothing, for good. ``awarded``: it takes what ``taken`` says, by type, and
    ``taken_of_lines``, by line, which adds up to it. ``policy`` says what becomes of what is lacking: it is owed
    (``debt``), left to its issuer (``clip``), or the return is refused and takes nothing at all (``refuse``). Below
    ``forgive_below`` of all that lacked of the purchase's own points it is left, whatever the policy. Tills are to
    ``withhold`` money of the refund for what is lacking and not forgiven. ``goods`` is what the receipt sold, where
    that is kept.
    """

    status: Literal["awaiting", "parked", "refused", "awarded"]
    reason: str | None = None
    detail: str | None = None
    policy: ClawBackPolicy | None = None
    forgive_below: int | None = None
    withhold: bool = False
    taken: list[TakenAnswer]
    taken_of_lines: list[TakenOfLineAnswer]
    goods: GoodsAnswer | None = None

    @classmethod
    def of(cls, previewed: PreviewedReturn) -> Self:
        """The answer for what was foreseen."""
        purchase = previewed.purchase
        return cls(
            status=previewed.status,
            reason=previewed.reason,
            detail=previewed.detail,
            policy=previewed.policy,
            forgive_below=previewed.forgive_below,
            withhold=previewed.is_withheld,
            taken=[TakenAnswer(**one._asdict()) for one in previewed.taken],
            taken_of_lines=[TakenOfLineAnswer(**one._asdict()) for one in previewed.taken_of_lines],
            goods=None
            if purchase is None
            else GoodsAnswer(
                occurred_at=purchase.occurred_at,
                points_minor=previewed.points_minor,
                is_exchange=previewed.is_exchange,
                lines=[BoughtLineAnswer(**one._asdict()) for one in previewed.lines],
            ),
        )
