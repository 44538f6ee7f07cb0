"""``/v1/members/{member_id}/data``: all that accrual keeps of a member, for an export."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias, assert_never
from uuid import UUID

import orjson
from fastapi import APIRouter
from pydantic import Field

from services.accrual.api.answers import part_answer, return_part_answer
from services.accrual.api.correction_answers import correction_answer
from services.accrual.api.history_data import HistoryMemberData, told_of_history
from services.accrual.api.tier_data import TierMemberData, told_of_tier
from services.accrual.domain.adjustments import Act, Adjustment, AdjustmentState, Refusal
from services.accrual.domain.member_events import EventRefusal, EventState
from services.accrual.domain.memberships import Membership
from services.accrual.domain.tiers.qualification import CountedDay
from services.accrual.domain.unlinked_cases import CaseState, UnlinkedCase
from services.accrual.repository.corrections import KeptCorrection
from services.accrual.repository.former_states import FormerAttribute, FormerState
from services.accrual.repository.member_data import KeptAward, KeptParked, KeptRefusal, KeptReturn
from services.accrual.repository.tier_data import KeptChange, KeptStanding
from services.accrual.repository.tier_grants import GrantRow
from services.accrual.schemas.fields import Answer
from services.accrual.schemas.memberships import MembershipData
from services.accrual.schemas.receipts import AwardPartAnswer, CorrectionAnswer, ReturnPartAnswer
from services.accrual.use_cases.read_history_data import KeptMove
from services.accrual.use_cases.read_member_data import SECTIONS, Kept, KeptMemberEvent, KeptOfReceipt
from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.receipt_key import receipt_id_of
from shared.web.authorisation import requires
from shared.web.paging import Page, Paging
from shared.web.principal import Principal
from shared.web.problems import not_found, problems
from shared.web.sections import read_sections

# Another person's (the cashier's), the identifier, and digests that say nothing.
_NOT_TOLD = {"operator_hash", "identifier_hash", "content_hash", "member_id"}

Document = Annotated[
    dict[str, Any] | None,
    Field(description="The till's document; null once its time in the retention table (documents) is over."),
]


class AppliedRule(Answer):
    """A rule and what it gave."""

    rule_id: str
    points: int


class AwardData(Answer):
    """What a receipt earned, by which rules of which version, and what of it was taken back since."""

    kind: Literal["award"] = "award"
    receipt_id: str
    point_type: str
    points: int
    taken_back: int
    rule_set_version: int
    mapping_version: int
    applied_rules: list[AppliedRule]
    decided_at: datetime
    hold_reason: str | None
    hold_ends_at: datetime | None
    document: Document
    parts: list[AwardPartAnswer] = Field(default_factory=list)


class ReturnedLine(Answer):
    """A line of the purchase, and how much of it came back."""

    line_id: int
    quantity_thousandths: int


class ReturnData(Answer):
    """What a return took back, or a void, or an exchange (``cause``), of which the award tells more. ``given_back`` is
    what the void of an exchange gave again; ``voided_by`` the void of this one. For those ``withheld`` money was kept
    of the refund.
    """

    kind: Literal["return"] = "return"
    cause: Literal["return", "void", "exchange", "handover"]
    clipped: int
    receipt_id: str
    original_receipt_id: str
    points: int
    became_debt: int
    given_back: int
    withheld: int
    voided_by: str | None = None
    lines: list[ReturnedLine]
    decided_at: datetime
    parts: list[ReturnPartAnswer] = Field(default_factory=list)


class UnlinkedReturnData(Answer):
    """A return that names no purchase, and what became of it. ``document`` is null once its time was over."""

    kind: Literal["unlinked_return"] = "unlinked_return"
    state: CaseState
    receipt_id: str
    original_receipt_id: str | None
    points: int
    became_debt: int
    clipped: int
    occurred_at: datetime
    decided_at: datetime | None
    document: Document


class CorrectionData(Answer):
    """What corrected a receipt, and how that stood before and after."""

    kind: Literal["correction"] = "correction"
    correction: CorrectionAnswer
    document: Document


class RefusalData(Answer):
    """A document that was refused."""

    kind: Literal["refusal"] = "refusal"
    receipt_id: str
    reason: str
    detail: str
    refused_at: datetime
    document: Document


class ParkedData(Answer):
    """A document that waits."""

    kind: Literal["parked"] = "parked"
    receipt_id: str
    reason: str
    parked_at: datetime
    document: Document


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
    AwardData
    | ReturnData
    | UnlinkedReturnData
    | CorrectionData
    | RefusalData
    | ParkedData
    | AdjustmentData
    | MemberEventData
    | MembershipData
    | TierMemberData
    | HistoryMemberData,
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
    return _told_of_receipt(kept)


def _told_of_receipt(kept: KeptOfReceipt) -> MemberData:
    if isinstance(kept, KeptCorrection):
        return CorrectionData(correction=correction_answer(kept.row), document=_document(kept.document))
    receipt_id = receipt_id_of(kept.natural_key)
    match kept:
        case KeptAward():
            applied = orjson.loads(kept.decision)["applied"]
            return AwardData(
                receipt_id=receipt_id,
                point_type=kept.point_type,
                points=kept.points,
                taken_back=kept.taken_back,
                rule_set_version=kept.rule_set_version,
                mapping_version=kept.mapping_version,
                applied_rules=[AppliedRule(rule_id=rule_id, points=points) for rule_id, points in applied],
                decided_at=kept.decided_at,
                hold_reason=kept.hold_reason,
                hold_ends_at=kept.hold_ends_at,
                document=_document(kept.document),
                parts=[part_answer(part) for part in kept.parts],
            )
        case KeptReturn():
            lines = kept.thousandths_by_line.items()
            return ReturnData(
                cause=kept.cause,
                clipped=kept.clipped,
                receipt_id=receipt_id,
                original_receipt_id=receipt_id_of(kept.original_key),
                points=kept.points,
                became_debt=kept.became_debt,
                given_back=kept.given_back,
                withheld=kept.withheld,
                voided_by=receipt_id_of(kept.voided_by) if kept.voided_by is not None else None,
                lines=[ReturnedLine(line_id=line_id, quantity_thousandths=each) for line_id, each in lines],
                decided_at=kept.decided_at,
                parts=[return_part_answer(part) for part in kept.parts],
            )
        case UnlinkedCase():
            return _told_of_unlinked(kept)
        case KeptRefusal():
            return RefusalData(
                receipt_id=receipt_id,
                reason=kept.reason,
                detail=kept.detail,
                refused_at=kept.refused_at,
                document=_document(kept.document),
            )
        case KeptParked():
            return ParkedData(
                receipt_id=receipt_id,
                reason=kept.reason,
                parked_at=kept.parked_at,
                document=_document(kept.document),
            )
        case _:
            assert_never(kept)


def _told_of_unlinked(kept: UnlinkedCase) -> UnlinkedReturnData:
    return UnlinkedReturnData(
        state=kept.state,
        receipt_id=receipt_id_of(kept.natural_key),
        original_receipt_id=receipt_id_of(kept.original_key) if kept.original_key is not None else None,
        points=kept.points,
        became_debt=kept.became_debt,
        clipped=kept.clipped,
        occurred_at=kept.occurred_at,
        decided_at=kept.decided_at,
        document=_document(kept.event),
    )


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


def _document(body: bytes | None) -> dict[str, Any] | None:
    if body is None:
        return None
    return PURCHASES.read(body).data.model_dump(mode="json", exclude=_NOT_TOLD, exclude_none=True)
