"""``/v1/members/{member_id}``: points that had lapsed are given back, debts are shown and written off."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.accrual.api.adjustments import WRITE_PROBLEMS, Reader, answer_of
from services.accrual.domain.adjustments import Act, Adjustment, AdjustmentRules, id_of_request
from services.accrual.domain.reinstatement import ReinstatementTerms
from services.accrual.programme import KnownTierSchemes, Programme
from services.accrual.repository import reinstatements
from services.accrual.schemas.adjustments import AdjustmentAnswer
from services.accrual.schemas.lapsed_and_owed import (
    DebtAnswer,
    DebtsAnswer,
    LapsedAnswer,
    LapsedPointsAnswer,
    ReinstatementBody,
    WriteOffBody,
)
from services.accrual.use_cases.adjust_points import request_adjustment, today
from shared import ledger
from shared.database import Database, Transaction
from shared.point_types import PointTypes
from shared.receipt_key import MalformedReceiptIdError, partner_of, receipt_id_of
from shared.web import IdempotencyKey, Principal, idempotent, problems, refuse_partners, requires
from shared.web.answers import Decided
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

Reinstater = Annotated[Principal, requires("points:reinstate")]
Forgiver = Annotated[Principal, requires("debts:write-off")]
_WHAT = "What lapsed, or is owed, is shown and put right"
WantedType = Annotated[
    str | None,
    Query(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX, description="Absent: the programme's own type."),
]


def lapsed_and_owed_routers(
    database: Database,
    programme: Programme,
    rules: AdjustmentRules,
    terms: ReinstatementTerms,
    point_types: PointTypes,
    tiers: KnownTierSchemes,
) -> tuple[APIRouter, ...]:
    """What is asked for here is an adjustment of its own kind: decided, listed and told of as those are."""
    return (
        _requests(database, programme, rules, terms, point_types, tiers),
        _reading(database, programme, terms, point_types),
    )


def _requests(
    database: Database,
    programme: Programme,
    rules: AdjustmentRules,
    terms: ReinstatementTerms,
    point_types: PointTypes,
    tiers: KnownTierSchemes,
) -> APIRouter:
    router = APIRouter(prefix="/v1/members/{member_id}", tags=["adjustments"])

    def wanted(
        transaction: Transaction,
        act: Act,
        member_id: UUID,
        body: ReinstatementBody | WriteOffBody,
        author: str,
        key: str,
    ) -> Adjustment:
        day = today(transaction, programme)
        reason = rules.reason(body.reason_code)
        is_reinstated = act == "reinstate"
        return Adjustment(
            adjustment_id=id_of_request(author, key),
            member_id=member_id,
            point_type=point_types.of(body.point_type),
            points=body.points,
            reason_code=reason.code,
            kind=reason.kind,
            basis=reason.basis,
            note=body.note,
            expires_on=terms.until(day) if is_reinstated else None,
            is_clipped=False,
            created_by=author,
            created_at=transaction.now,
            act=act,
            lapsed_since=terms.since(day) if is_reinstated else None,
        )

    @router.post("/points:reinstate", status_code=201, response_model=AdjustmentAnswer, responses=WRITE_PROBLEMS)
    async def reinstate(
        member_id: UUID, body: ReinstatementBody, principal: Reinstater, key: IdempotencyKey
    ) -> Response:
        """Give points back that lapsed lately, with their own history and a new day of expiry.

        What lapsed within ``TESSERA_REINSTATE_WITHIN_DAYS`` counts, and lasts ``TESSERA_REINSTATED_LAST_DAYS`` then. It
        is an adjustment (``act`` ``reinstate``), and what is more than one person moves alone waits for a second one.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Decided:
            asked = wanted(transaction, "reinstate", member_id, body, principal.client_id, key.key)
            return answer_of(await request_adjustment(transaction, asked, rules, programme, tiers), 201)

        return await idempotent(database, principal, key, body, work)

    @router.post("/debt:write-off", status_code=201, response_model=AdjustmentAnswer, responses=WRITE_PROBLEMS)
    async def write_off(member_id: UUID, body: WriteOffBody, principal: Forgiver, key: IdempotencyKey) -> Response:
        """Ask for debt to be forgiven: an adjustment (``act`` ``write_off``) that is always a second person's to make.

        Until then whoever's claw-back it was bears it. What was cleared meanwhile is not forgiven.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Decided:
            asked = wanted(transaction, "write_off", member_id, body, principal.client_id, key.key)
            return answer_of(await request_adjustment(transaction, asked, rules, programme, tiers), 201)

        return await idempotent(database, principal, key, body, work)

    return router


def _reading(database: Database, programme: Programme, terms: ReinstatementTerms, point_types: PointTypes) -> APIRouter:
    router = APIRouter(prefix="/v1/members/{member_id}", tags=["adjustments"])

    @router.get("/lapsed-points", responses=problems(401, 403, 422))
    async def lapsed_points(member_id: UUID, principal: Reader, point_type: WantedType = None) -> LapsedPointsAnswer:
        """What of a member's points lapsed lately, and could be given back today."""
        refuse_partners(principal, _WHAT)
        of_type = point_types.of(point_type)
        async with database.transaction() as transaction:
            day = today(transaction, programme)
            owner_id = (await ledger.find_survivors(transaction, [member_id])).get(member_id, member_id)
            found = await reinstatements.load_lapsed(transaction, owner_id, of_type, terms.since(day))
        return LapsedPointsAnswer(
            point_type=of_type,
            points=sum(lot.points for lot in found),
            expires_on=terms.until(day),
            lapsed=[
                LapsedAnswer(issuer=lot.terms.issuer, expired_on=lot.terms.expires_on, points=lot.points)
                for lot in found
                if lot.terms.expires_on is not None
            ],
        )

    @router.get("/debts", responses=problems(401, 403, 422))
    async def debts(member_id: UUID, principal: Reader, point_type: WantedType = None) -> DebtsAnswer:
        """What a member owes, by the partner that bears it, and for how long."""
        refuse_partners(principal, _WHAT)
        of_type = point_types.of(point_type)
        async with database.transaction() as transaction:
            owed = await ledger.load_owed(transaction, member_id, of_type)
            now = transaction.now
        return DebtsAnswer(
            point_type=of_type,
            points=sum(each.points for each in owed),
            debts=[
                DebtAnswer(
                    issuer=each.issuer,
                    points=each.points,
                    owed_since=each.owed_since,
                    days=(now - each.owed_since) // timedelta(days=1),
                    receipt_id=_receipt_id(each.reference),
                )
                for each in owed
            ],
        )

    return router


def _receipt_id(reference: bytes) -> str | None:
    """The receipt that a debt is of; another effect (a member event that was undone) has none."""
    try:
        partner_of(reference)
    except MalformedReceiptIdError:
        return None
    return receipt_id_of(reference)
