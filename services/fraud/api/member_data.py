"""``/v1/members/{member_id}/data``: what fraud has found about a member, for an export."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias, assert_never
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.fraud.domain.cases import CaseState, HoldAction
from services.fraud.domain.spending.asks import AskKind, Verdict
from services.fraud.repository.member_data import KeptCase, KeptHold, KeptIdentifierTimes, KeptSignal, KeptSpendDecision
from services.fraud.use_cases.read_member_data import SECTIONS, Kept
from shared.database import Database
from shared.events.fraud import CaseOutcome
from shared.receipt_key import receipt_id_of
from shared.web import Page, Paging, Principal, not_found, problems, requires
from shared.web.sections import read_sections


class _Data(BaseModel):
    """No figures and thresholds: they would tell how not to be noticed. No cashier, and nobody who closed a case."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class SignalData(_Data):
    """A rule that fired on a receipt."""

    kind: Literal["signal"] = "signal"
    signal_id: UUID
    receipt_id: str
    rule_code: str
    action: str
    case_id: UUID | None
    raised_at: datetime


class HoldData(_Data):
    """What was last asked for on a receipt's award."""

    kind: Literal["hold"] = "hold"
    receipt_id: str
    version: int
    action: HoldAction
    ends_at: datetime | None
    case_id: UUID
    rule_code: str
    occurred_at: datetime
    store_id: str
    changed_at: datetime


class CaseData(_Data):
    """What a person looked at, how it ended, and the note on why, while it is kept."""

    kind: Literal["case"] = "case"
    case_id: UUID
    partner_id: str
    rule_code: str
    state: CaseState
    outcome: CaseOutcome | None
    receipts: int
    opened_at: datetime
    closed_at: datetime | None
    note: str | None


class SpendDecisionData(_Data):
    """Points that were to leave, for a hold or a gift, and whether they might."""

    kind: Literal["spend_decision"] = "spend_decision"
    decision_id: UUID
    spend_kind: AskKind
    partner_id: str | None
    store_id: str | None
    point_type: str
    points: int
    verdict: Verdict
    asked_at: datetime


class IdentifierTimesData(_Data):
    """When a card, phone or app link of the member was first linked, when one was last, and when the e-mail address
    last became another one, each as far as it is known."""

    kind: Literal["identifier_times"] = "identifier_times"
    first_linked_at: datetime | None
    last_linked_at: datetime | None
    contact_changed_at: datetime | None


_Told: TypeAlias = SignalData | HoldData | CaseData | SpendDecisionData | IdentifierTimesData
MemberData: TypeAlias = Annotated[_Told, Field(discriminator="kind")]


def member_data_router(database: Database) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["member data"])

    @router.get("/members/{member_id}/data", responses=problems(400, 401, 403, 404, 422))
    async def read_data(
        member_id: UUID, paging: Paging, principal: Annotated[Principal, requires("members:data")]
    ) -> Page[MemberData]:
        """What was found about a member: signals, holds, cases, decisions on spending, and when
        identifiers were linked. For the programme's own clients.

        The id is taken as it stands: who was merged away has what was found under the old id. Nothing for a stranger.
        """
        if not principal.sees(None):
            raise not_found("member")
        async with database.transaction() as transaction:
            page = await read_sections(transaction, member_id, SECTIONS, paging)
        return Page[MemberData](items=[_told(kept) for kept in page.rows], next_cursor=page.next_cursor)

    return router


def _told(kept: Kept) -> _Told:
    match kept:
        case KeptSignal():
            return SignalData(
                signal_id=kept.signal_id,
                receipt_id=receipt_id_of(kept.receipt_key),
                rule_code=kept.rule_code,
                action=kept.action,
                case_id=kept.case_id,
                raised_at=kept.raised_at,
            )
        case KeptHold():
            return HoldData(
                receipt_id=receipt_id_of(kept.receipt_key),
                version=kept.version,
                action=kept.action,
                ends_at=kept.ends_at,
                case_id=kept.case_id,
                rule_code=kept.rule_code,
                occurred_at=kept.occurred_at,
                store_id=kept.store_id,
                changed_at=kept.changed_at,
            )
        case KeptCase():
            return CaseData.model_validate(kept)
        case KeptSpendDecision():
            return SpendDecisionData(
                decision_id=kept.decision_id,
                spend_kind=kept.kind,
                partner_id=kept.partner_id,
                store_id=kept.store_id,
                point_type=kept.point_type,
                points=kept.points,
                verdict=kept.verdict,
                asked_at=kept.asked_at,
            )
        case KeptIdentifierTimes():
            return IdentifierTimesData.model_validate(kept)
        case _:
            assert_never(kept)
