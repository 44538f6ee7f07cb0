"""``/v1/adjustments``: points that people give and take by hand. For the programme's own clients and people."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.accrual.domain.adjustment_files import (
    AdjustmentFileExistsError,
    AdjustmentFileNotFoundError,
    AnotherAuthorError,
)
from services.accrual.domain.adjustments import (
    Adjustment,
    AdjustmentDecidedError,
    AdjustmentExistsError,
    AdjustmentNotFoundError,
    AdjustmentRules,
    AdjustmentState,
    OwnAdjustmentError,
    UnknownAdjustmentReasonError,
    UnusableAdjustmentError,
    expiry_of,
    id_of_request,
)
from services.accrual.programme import KnownTierSchemes, Programme
from services.accrual.repository import adjustments
from services.accrual.repository.adjustments import AdjustmentFilter
from services.accrual.schemas.adjustments import AdjustmentAnswer, AdjustmentBody
from services.accrual.use_cases.adjust_points import (
    approve_adjustment,
    refuse_adjustment,
    request_adjustment,
    today,
)
from shared.database import Database, Transaction
from shared.point_types import PointTypes, UnknownPointTypeError
from shared.web import (
    Answer,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    Problem,
    ProblemAnswer,
    idempotent,
    not_found,
    problems,
    refuse_partners,
    requires,
)
from shared.web.answers import Decided
from shared.web.csv_pages import AnotherFileError, ImportBusyError, UnusableHeaderError
from shared.web.csv_records import UnreadableCsvError
from shared.web.refusals import DomainProblems
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

Writer = Annotated[Principal, requires("adjustments:write")]
Approver = Annotated[Principal, requires("adjustments:approve")]
Reader = Annotated[Principal, requires("adjustments:read")]
_WHAT = "Adjustments are made"
OfReason = Annotated[str | None, Query(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]
OfAuthor = Annotated[str | None, Query(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]

POSITION = TypeAdapter(tuple[datetime, UUID])
WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)

ADJUSTMENT_PROBLEMS: DomainProblems = {
    AdjustmentDecidedError: (409, "adjustment-decided", "Adjustment decided"),
    AdjustmentExistsError: (409, "adjustment-exists", "Adjustment exists"),
    AdjustmentFileExistsError: (409, "adjustment-file-exists", "Adjustment file exists"),
    AdjustmentFileNotFoundError: (404, "not-found", "Not found"),
    AdjustmentNotFoundError: (404, "not-found", "Not found"),
    AnotherAuthorError: (403, "another-author", "Another author"),
    AnotherFileError: (409, "another-file", "Another file"),
    ImportBusyError: (409, "import-busy", "Import busy"),
    OwnAdjustmentError: (403, "own-adjustment", "Own adjustment"),
    UnknownAdjustmentReasonError: (422, "unknown-reason", "Unknown reason"),
    UnknownPointTypeError: (422, "invalid-request", "Invalid request"),
    UnreadableCsvError: (422, "unusable-file", "Unusable file"),
    UnusableAdjustmentError: (422, "unusable-adjustment", "Unusable adjustment"),
    UnusableHeaderError: (422, "unusable-file", "Unusable file"),
}
_WORDS = {
    "insufficient_points": "there are fewer points than are to be taken, or given back: ask for less, or with clip",
    "nothing_owed": "the member owes nothing any more",
    "member_closed": "the member has left the programme",
    "member_erased": "the member's data were erased",
    "second_person_needed": "with what was moved of the member on this day it is more than one person moves alone",
    "expired": "it waited for its approval until its points would have been gone",
}


def adjustments_router(
    database: Database, programme: Programme, rules: AdjustmentRules, point_types: PointTypes, tiers: KnownTierSchemes
) -> APIRouter:
    """Ask for adjustments, and decide on those that wait for a second person."""
    router = APIRouter(prefix="/v1/adjustments", tags=["adjustments"])

    @router.post("", status_code=201, response_model=AdjustmentAnswer, responses=WRITE_PROBLEMS)
    async def adjust(body: AdjustmentBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Give points to a member, or take some, for a reason that the programme has declared.

        Posted at once, up to the programme's limits (``TESSERA_ADJUSTMENT_POINTS_MAX_ALONE``, and by day in all, of the
        author's and of the member's); what is more waits for a second person. What cannot be posted is refused with 409
        and kept with its reason. The Idempotency-Key is the adjustment's identity for ever: sent again years later it
        moves nothing.
        """
        refuse_partners(principal, _WHAT)
        point_type = point_types.of(body.point_type)
        reason = rules.reason(body.reason_code)

        async def work(transaction: Transaction) -> Decided:
            wanted = Adjustment(
                adjustment_id=id_of_request(principal.client_id, key.key),
                member_id=body.member_id,
                point_type=point_type,
                points=body.points,
                reason_code=reason.code,
                kind=reason.kind,
                basis=reason.basis,
                note=body.note,
                expires_on=expiry_of(reason, body.points, body.expires_on, today(transaction, programme)),
                is_clipped=body.clip,
                created_by=principal.client_id,
                created_at=transaction.now,
            )
            return answer_of(await request_adjustment(transaction, wanted, rules, programme, tiers), 201)

        return await idempotent(database, principal, key, body, work)

    @router.post("/{adjustment_id}/approve", response_model=AdjustmentAnswer, responses=WRITE_PROBLEMS)
    async def approve(adjustment_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Post an adjustment that somebody else has asked for. What cannot be posted any more is refused with 409."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Decided:
            approver = principal.client_id
            return answer_of(await approve_adjustment(transaction, adjustment_id, approver, programme, tiers))

        return await idempotent(database, principal, key, None, work)

    @router.post("/{adjustment_id}/refuse", response_model=AdjustmentAnswer, responses=WRITE_PROBLEMS)
    async def refuse(adjustment_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Let nothing come of an adjustment that waits."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            refused = await refuse_adjustment(transaction, adjustment_id, principal.client_id)
            return _answer(refused)

        return await idempotent(database, principal, key, None, work)

    return router


def adjustment_reading_router(database: Database) -> APIRouter:
    """Who asked for what, why, and what became of it."""
    router = APIRouter(prefix="/v1/adjustments", tags=["adjustments"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_adjustments(
        principal: Reader,
        paging: Paging,
        state: AdjustmentState | None = None,
        member_id: UUID | None = None,
        reason_code: OfReason = None,
        author: OfAuthor = None,
        file_id: UUID | None = None,
    ) -> Page[AdjustmentAnswer]:
        """Adjustments, the newest first. A survivor's are also those of members who were merged into it."""
        refuse_partners(principal, _WHAT)
        wanted = AdjustmentFilter(state, member_id, reason_code, author, file_id)
        async with database.transaction() as transaction:
            found = await adjustments.load_page(transaction, wanted, paging.position(POSITION), paging.limit + 1)
        shown = [AdjustmentAnswer.of(adjustment) for adjustment in found[: paging.limit]]
        position = [shown[-1].created_at, shown[-1].adjustment_id] if shown else []
        return Page.of(found, paging.limit, shown, position)

    @router.get("/{adjustment_id}", responses=problems(401, 403, 404, 422))
    async def read(adjustment_id: UUID, principal: Reader) -> AdjustmentAnswer:
        """One adjustment: its author, its reason, who approved it, and what became of it."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            found = await adjustments.find(transaction, adjustment_id)
        if found is None:
            raise not_found("adjustment")
        return AdjustmentAnswer.of(found)

    return router


def answer_of(adjustment: Adjustment, status: int = 200) -> Decided:
    """As it stands; one of which nothing came is a refusal, and kept."""
    if adjustment.refusal is None:
        return _answer(adjustment, status)
    words = _WORDS.get(adjustment.refusal, "it was not approved")
    slug = adjustment.refusal.replace("_", "-")
    return ProblemAnswer(Problem(409, slug, f"Adjustment {adjustment.adjustment_id} is refused: {words}."))


def _answer(adjustment: Adjustment, status: int = 200) -> Answer:
    """What was written of a member stands with the adjustment alone, where an erasure finds it."""
    shown = AdjustmentAnswer.of(adjustment)
    return Answer(status, shown, kept=shown.model_copy(update={"note": None}))
