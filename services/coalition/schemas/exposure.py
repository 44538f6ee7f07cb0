"""What HTTP says of payments and exposure."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from services.coalition.domain.exposure import PointSums, Standing
from services.coalition.domain.top_ups import TopUp
from services.coalition.schemas.contracts import CurrencyText
from services.coalition.schemas.fields import AnswerModel
from services.coalition.use_cases.read_exposure import ExposureStory
from shared.web import Body, CodeText, Minor


class TopUpBody(Body):
    """A payment. The document number makes it one payment for ever; a negative amount corrects another document."""

    document_number: CodeText
    amount_minor: Minor = Field(description="In minor units, not zero.", json_schema_extra={"not": {"const": 0}})
    currency: CurrencyText


class TopUpAnswer(AnswerModel):
    """A payment as it was booked."""

    partner_id: str
    document_number: str
    amount_minor: int
    currency: str
    booked_at: datetime
    booked_by: str

    @classmethod
    def of(cls, top_up: TopUp) -> Self:
        """The answer for a payment."""
        return cls(
            partner_id=top_up.partner_id,
            document_number=top_up.document_number,
            amount_minor=top_up.amount_minor,
            currency=top_up.currency,
            booked_at=top_up.booked_at,
            booked_by=top_up.booked_by,
        )


class PointsAnswer(AnswerModel):
    """Points of one type: issued, taken back, redeemed at the partner; of its own, redeemed anywhere.

    Of those redeemed at the partner, ``refunded_points`` were given back; of its own, ``restored_points``."""

    point_type: str
    issued_points: int
    returned_points: int
    redeemed_points: int
    spent_points: int
    refunded_points: int
    restored_points: int

    @classmethod
    def of(cls, sums: PointSums) -> Self:
        """The answer for sums."""
        return cls(
            point_type=sums.point_type,
            issued_points=sums.issued_points,
            returned_points=sums.returned_points,
            redeemed_points=sums.redeemed_points,
            spent_points=sums.spent_points,
            refunded_points=sums.refunded_points,
            restored_points=sums.restored_points,
        )


class ExposureAnswer(AnswerModel):
    """Where a partner stands by what was counted so far, in minor units without VAT. ``version`` is the last told."""

    partner_id: str
    version: int
    contract_id: UUID | None
    standing: Standing
    currency: str | None
    payable_minor: int
    receivable_minor: int
    paid_minor: int
    prepaid_balance_minor: int | None = Field(description="What is left of a prepaid block; null for a credit limit.")
    credit_used_minor: int | None = Field(description="What is used of a credit limit; null for a prepaid block.")
    left_minor: int | None = Field(description="What the partner may still issue for; null without a contract.")
    overshoot_minor: int
    points: list[PointsAnswer]

    @classmethod
    def of(cls, story: ExposureStory) -> Self:
        """The answer for an exposure."""
        exposure, position = story.exposure, story.position
        funding = None if position.contract is None else position.contract.terms.funding
        owed_minor = position.payable_minor - position.paid_minor
        return cls(
            partner_id=exposure.partner_id,
            version=exposure.version,
            contract_id=None if position.contract is None else position.contract.contract_id,
            standing=position.standing,
            currency=position.currency,
            payable_minor=position.payable_minor,
            receivable_minor=position.receivable_minor,
            paid_minor=position.paid_minor,
            prepaid_balance_minor=-owed_minor if funding is not None and funding.kind == "prepaid" else None,
            credit_used_minor=max(0, owed_minor) if funding is not None and funding.kind == "postpaid" else None,
            left_minor=position.left_minor,
            overshoot_minor=position.overshoot_minor,
            points=[PointsAnswer.of(sums) for sums in story.points],
        )
