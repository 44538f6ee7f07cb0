"""What HTTP says of receipts that are claimed later."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from services.accrual.domain.receipt_claims import ReceiptClaim
from services.accrual.schemas.fields import Answer
from shared.receipt_key import receipt_id_of
from shared.web import Body, NonNegativeMinor


class ReceiptClaimBody(Body):
    """For whom, and what the paper says: whoever has it can tell."""

    member_id: UUID
    total_minor: NonNegativeMinor
    bought_on: Annotated[date, Field(description="The day that is printed on the receipt.")]


class ReceiptClaimAnswer(Answer):
    """That a receipt is claimed. ``status_url`` says what becomes of it, within a second or two."""

    receipt_id: str
    member_id: UUID
    claimed_by: str
    claimed_at: datetime
    status_url: str

    @classmethod
    def of(cls, claim: ReceiptClaim) -> Self:
        """The answer for a claim."""
        receipt_id = receipt_id_of(claim.natural_key)
        return cls(
            receipt_id=receipt_id,
            member_id=claim.member_id,
            claimed_by=claim.claimed_by,
            claimed_at=claim.claimed_at,
            status_url=f"/v1/receipts/{receipt_id}",
        )
