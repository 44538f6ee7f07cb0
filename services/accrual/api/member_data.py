"""``/v1/members/{member_id}/data``: all that accrual keeps of a member, for an export."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.accrual.api.answers import part_answer
from services.accrual.api.history_data import HistoryMemberData, told_of_history
from services.accrual.api.receipt_data import ReceiptMemberData, told_of_receipt
from services.accrual.api.tier_data import TierMemberData, told_of_tier
from services.accrual.domain.adjustments import Act, Adjustment, AdjustmentState, Refusal
from services.accrual.domain.member_events import EventRefusal, EventState
from services.accrual.domain.memberships import Membership
from services.accrual.domain.tiers.qualification import CountedDay
from services.accrual.repository.former_states import FormerAttribute, FormerState
from services.accrual.repository.tier_data import KeptChange, KeptStanding
from services.accrual.repository.tier_grants import GrantRow
from services.accrual.schemas.fields import Answer
from services.accrual.schemas.memberships import MembershipData
from services.accrual.schemas.receipts import AwardPartAnswer
from services.accrual.use_cases.read_history_data import KeptMove
from services.accrual.use_cases.read_member_data import SECTIONS, Kept, KeptMemberEvent
from shared.database import Database
from shared.web.authorisation import requires
from shared.web.paging import Page, Paging
from shared.web.principal import Principal
from shared.web.problems import not_found, problems
from shared.web.sections import read_sections


class AdjustmentData(Answer):
    """Points that people gave or took, what they wrote about it, and what became of it. Who they are is not told."""

    kind: Literal["adjustment"] = "adjustment"
    adjustment_id: UUID
    act: Act
    state: AdjustmentState
    refused_because: Refusal | None
    point_type: str
    points: int
    posted_points: int
    reason_code: str
    note: str | None
    expires_on: date | None
    created_at: datetime
    decided_at: datetime | None


class MemberEventData(Answer):
    """What the member did beside buying, or time brought, and what it gave."""

    kind: Literal["member_event"] = "member_event"
    event_id: UUID
    type: str
    state: EventState
    refused_because: EventRefusal | None
    payload: dict[str, Any]
    point_type: str
    points: int
    became_debt: int
    by_rule: dict[str, int]
    parts: list[AwardPartAnswer]
    occurred_at: datetime
    revoked_at: datetime | None


MemberData: TypeAlias = Annotated[
    ReceiptMemberData | AdjustmentData | MemberEventData | MembershipData | TierMemberData | HistoryMemberData,
    Field(discriminator="kind"),
]


def member_data_router(database: Database) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["member data"])

    @router.get("/members/{member_id}/data", responses=problems(400, 401, 403, 404, 422))
    async def read_data(
        member_id: UUID, paging: Paging, principal: Annotated[Principal, requires("members:data")]
    ) -> Page[MemberData]:
        """All that is kept of a member: receipts, adjustments, tiers, history. For the programme's own clients.

        The id is taken as it stands: who was merged away has what was given under the old id. Nothing for a stranger.
        """
        if not principal.sees(None):
            raise not_found("member")
        async with database.transaction() as transaction:
            page = await read_sections(transaction, member_id, SECTIONS, paging)
        return Page[MemberData](items=[_told(kept) for kept in page.rows], next_cursor=page.next_cursor)

    return router


def _told(kept: Kept) -> MemberData:
    if isinstance(kept, Adjustment):
        return _told_of_adjustment(kept)
    if isinstance(kept, KeptStanding | CountedDay | GrantRow | KeptChange):
        return told_of_tier(kept)
    if isinstance(kept, KeptMemberEvent):
        return _told_of_event(kept)
    if isinstance(kept, Membership):
        return MembershipData(group=kept.group.kind, code=kept.group.code, from_at=kept.from_at, until_at=kept.until_at)
    if isinstance(kept, KeptMove | FormerState | FormerAttribute):
        return told_of_history(kept)
    return told_of_receipt(kept)


def _told_of_adjustment(kept: Adjustment) -> AdjustmentData:
    return AdjustmentData(
        adjustment_id=kept.adjustment_id,
        act=kept.act,
        state=kept.state,
        refused_because=kept.refusal,
        point_type=kept.point_type,
        points=kept.points,
        posted_points=kept.posted_points,
        reason_code=kept.reason_code,
        note=kept.note,
        expires_on=kept.expires_on,
        created_at=kept.created_at,
        decided_at=kept.decided_at,
    )


def _told_of_event(of_event: KeptMemberEvent) -> MemberEventData:
    kept = of_event.event
    return MemberEventData(
        event_id=kept.event_id,
        type=kept.type_code,
        state=kept.state,
        refused_because=kept.refusal,
        payload=dict(kept.payload),
        point_type=kept.point_type,
        points=kept.points,
        became_debt=kept.became_debt,
        by_rule=dict(of_event.by_rule),
        parts=[part_answer(part) for part in of_event.parts],
        occurred_at=kept.occurred_at,
        revoked_at=kept.revoked_at,
    )
