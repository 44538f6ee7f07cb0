"""What HTTP says of a day's tender exceptions."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.redemption.schemas.answer import Answer
from services.redemption.use_cases.read_tender_exceptions import Listed
from shared.receipt_key import receipt_id_of
from shared.web import Body, CodeText


class SettlementBody(Body):
    """What was decided of an exception."""

    reason_code: CodeText = Field(description="Why, in the programme's own word. It stays.")


class TenderExceptionAnswer(Answer):
    """``late``: a receipt took points that no hold reserved; ``uncovered``: the balance lacked some of them. ``reason``
    says what became of the hold. Other kinds are contradictions that a person settles. ``captured_points`` were taken,
    ``late_points`` of them without a hold; ``uncovered_points`` are charged to whom ``charged_to`` says.
    ``is_voided``: the receipt was voided since. ``partner_id`` is whose receipt it is. ``settled_by`` says how it was
    settled: by a ``person`` (``author``, who decided it, and ``settled_because``, why), or by what came since.
    """

    exception_id: UUID
    at: datetime
    kind: str
    reason: str | None
    redemption_id: UUID
    receipt_id: str
    partner_id: str
    member_id: UUID | None
    point_type: str | None
    asked_points: int
    captured_points: int
    late_points: int
    uncovered_points: int
    charged_to: Literal["partner", "member"] | None
    is_voided: bool
    settled_at: datetime | None
    settled_by: str | None
    settled_because: str | None
    author: str | None

    @classmethod
    def of(cls, listed: Listed) -> Self:
        """The answer for one of the list."""
        found = listed.found
        return cls(
            exception_id=found.exception_id,
            at=found.at,
            kind=found.kind,
            reason=found.reason,
            redemption_id=found.redemption_id,
            receipt_id=receipt_id_of(found.receipt_key),
            partner_id=found.partner_id,
            member_id=found.member_id,
            point_type=found.point_type,
            asked_points=found.asked_points,
            captured_points=found.captured_points,
            late_points=found.late_points,
            uncovered_points=found.uncovered_points + found.debt_points,
            charged_to="member" if found.debt_points else "partner" if found.uncovered_points else None,
            is_voided=listed.is_voided,
            settled_at=found.settled_at,
            settled_by=found.settled_by,
            settled_because=found.settled_because,
            author=found.author,
        )
