"""What HTTP says of returns that name no purchase."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from services.accrual.domain.unlinked_cases import CaseState, Proposal, UnlinkedCase
from services.accrual.schemas.documents import LINES_MAX
from services.accrual.schemas.fields import Answer
from shared.receipt_key import receipt_id_of
from shared.web import Body, CodeText
from shared.web.strict import WholeNumber

RECEIPT_ID_LENGTH_MAX = 512


class LineLinkBody(Body):
    """A line of the return, and the line of the purchase that it was bought with."""

    line_id: WholeNumber
    original_line_id: WholeNumber


class LinkBody(Body):
    """Which purchase a return is of. Lines that are not named stand as the return has them."""

    original_receipt_id: Annotated[str, Field(min_length=1, max_length=RECEIPT_ID_LENGTH_MAX)]
    lines: Annotated[tuple[LineLinkBody, ...], Field(max_length=LINES_MAX)] = ()
    reason_code: Annotated[CodeText, Field(description="Why, in a code of the programme's own.")]


class DismissalBody(Body):
    """That a return is to take nothing."""

    reason_code: Annotated[CodeText, Field(description="Why, in a code of the programme's own.")]


class LineLinkAnswer(Answer):
    """A line of the return, and the line of the purchase that it was bought with."""

    line_id: int
    original_line_id: int


class UnlinkedReturnAnswer(Answer):
    """A return that names no purchase, as it stands. ``points`` were taken for it, ``became_debt`` of them owed;
    ``clipped`` points were to be taken besides and were not there. What it takes once it is linked, its receipt says.

    A ``proposal`` is one person's, and done once a second one, ``decided_by``, has looked.
    """

    receipt_id: str
    partner_id: str
    member_id: UUID | None
    state: CaseState
    occurred_at: datetime
    came_at: datetime
    rule_set_version: int | None
    points: int
    became_debt: int
    clipped: int
    proposal: Proposal | None
    original_receipt_id: str | None
    lines: list[LineLinkAnswer]
    reason_code: str | None
    proposed_by: str | None
    proposed_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, case: UnlinkedCase) -> Self:
        """The answer for one."""
        return cls(**_fields(case))


class UnlinkedReturnDocument(UnlinkedReturnAnswer):
    """The same with the till's document, by which people look for the purchase; null once its time was over."""

    document: dict[str, Any] | None

    @classmethod
    def with_document(cls, case: UnlinkedCase, document: dict[str, Any] | None) -> Self:
        """The answer for one."""
        return cls(**_fields(case), document=document)


def _fields(case: UnlinkedCase) -> dict[str, Any]:
    return {
        "receipt_id": receipt_id_of(case.natural_key),
        "partner_id": case.partner_id,
        "member_id": case.owner_id,
        "state": case.state,
        "occurred_at": case.occurred_at,
        "came_at": case.came_at,
        "rule_set_version": case.rule_set_version,
        "points": case.points,
        "became_debt": case.became_debt,
        "clipped": case.clipped,
        "proposal": case.proposal,
        "original_receipt_id": None if case.original_key is None else receipt_id_of(case.original_key),
        "lines": [LineLinkAnswer(line_id=one, original_line_id=other) for one, other in case.lines.items()],
        "reason_code": case.reason_code,
        "proposed_by": case.proposed_by,
        "proposed_at": case.proposed_at,
        "decided_by": case.decided_by,
        "decided_at": case.decided_at,
    }
