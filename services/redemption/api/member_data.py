"""``/v1/members/{member_id}/data``: all that redemption keeps of a member, for an export."""

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias, assert_never
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.redemption.domain.confirming import SpendKind
from services.redemption.domain.privileges.bought import Bought
from services.redemption.domain.rewards.voucher import Voucher
from services.redemption.programme import Programme
from services.redemption.repository.kept_challenges import KeptChallenge
from services.redemption.repository.member_data import (
    KeptGift,
    KeptGrant,
    KeptPrivilegeUse,
    KeptQuote,
    KeptRedemption,
    KeptShare,
    KeptTender,
)
from services.redemption.schemas.redemptions import CaptureAnswer, RedemptionDetailAnswer
from services.redemption.schemas.statement import StatementLineAnswer
from services.redemption.schemas.vouchers import VoucherAnswer
from services.redemption.use_cases.read_member_data import Kept, KeptLine, sections
from shared.database import Database
from shared.point_types import PointTypes
from shared.receipt_key import receipt_id_of
from shared.web import Page, Paging, Principal, not_found, problems, requires
from shared.web.sections import read_sections


class RedemptionData(RedemptionDetailAnswer):
    """A redemption and what receipts took of it."""

    kind: Literal["redemption"] = "redemption"


class GiftData(BaseModel):
    """Points that the member gave to another one, or got from one, who is not told here."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["gift"] = "gift"
    gift_id: UUID
    direction: Literal["given", "received"]
    point_type: str
    points: int
    given_at: datetime


class VoucherData(VoucherAnswer):
    """What the member took of a reward."""

    kind: Literal["voucher"] = "voucher"


class LentData(BaseModel):
    """Points of the member that were reserved for another one of its household, whose purchase is not told here."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["lent"] = "lent"
    point_type: str
    held_at: datetime
    held_points: int
    open_points: int
    captured_points: int


class TenderData(BaseModel):
    """A receipt says that it was paid with points of a card that is not yet known whose it is."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["waiting_tender"] = "waiting_tender"
    receipt_id: str
    redemption_id: UUID
    partner_id: str
    points: int
    waiting_since: datetime
    occurred_at: datetime | None
    store_id: str | None
    categories: list[str]


class QuoteData(BaseModel):
    """What points might have paid of a basket; ``checkout`` is what was asked, with the facts it was judged by."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["quote"] = "quote"
    quote_id: UUID
    partner_id: str
    rule_set_version: int
    checkout: dict[str, Any]
    points: int
    value_minor: int
    quoted_at: datetime
    expires_at: datetime


class GrantData(BaseModel):
    """A privilege that the programme granted to the member; without a ``last_day`` as long as it is given."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["granted_privilege"] = "granted_privilege"
    privilege_id: str
    last_day: date | None
    granted_at: datetime


class PrivilegeUseData(BaseModel):
    """A privilege that the member used: what it took off, and what of that is undone by returns or voids."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["used_privilege"] = "used_privilege"
    receipt_id: str
    privilege_id: str
    partner_id: str
    occurred_at: datetime
    currency: str
    amount_minor: int
    undone_minor: int
    is_undone: bool


class BoughtPrivilegeData(BaseModel):
    """A privilege that a receipt of the member entitles to, unless that is undone by returns or a void."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["bought_privilege"] = "bought_privilege"
    receipt_id: str
    privilege_id: str
    partner_id: str
    bought_at: datetime
    last_day: date
    is_undone: bool


class ChallengeData(BaseModel):
    """Points that the member was asked to confirm by a code, for a hold or a gift, and whether that was done."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["challenge"] = "challenge"
    challenge_id: UUID
    spend_kind: SpendKind
    partner_id: str | None
    point_type: str
    points: int
    sent_at: datetime
    expires_at: datetime
    wrong_tries: int
    used_at: datetime | None


class LineData(BaseModel):
    """A line of the statement of one point type."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["statement_line"] = "statement_line"
    point_type: str
    line: StatementLineAnswer


OfPrivileges: TypeAlias = GrantData | PrivilegeUseData | BoughtPrivilegeData
MemberData: TypeAlias = Annotated[
    RedemptionData
    | GiftData
    | VoucherData
    | LentData
    | TenderData
    | QuoteData
    | OfPrivileges
    | ChallengeData
    | LineData,
    Field(discriminator="kind"),
]


def member_data_router(database: Database, programme: Programme) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["member data"])
    types = programme.point_types

    @router.get("/members/{member_id}/data", responses=problems(400, 401, 403, 404, 422))
    async def read_data(
        member_id: UUID, paging: Paging, principal: Annotated[Principal, requires("members:data")]
    ) -> Page[MemberData]:
        """All that is kept of a member, for the programme's own clients: redemptions, gifts, vouchers, points lent,
        tenders that wait, quotes, privileges granted, used and bought, codes that were sent (not the codes), the
        statement.

        Redemptions, gifts and vouchers are under the ids that they were made with; of members who were merged the
        survivor has the statement. Nothing for a stranger.
        """
        if not principal.sees(None):
            raise not_found("member")
        async with database.transaction() as transaction:
            page = await read_sections(
                transaction, member_id, sections(principal, [types.unit_of(code) for code in types.codes]), paging
            )
        return Page[MemberData](items=[_told(kept, types) for kept in page.rows], next_cursor=page.next_cursor)

    return router


def _told(kept: Kept, types: PointTypes) -> MemberData:
    match kept:
        case KeptRedemption(redemption=redemption, captures=captures):
            return RedemptionData.of(redemption, types, captures=[CaptureAnswer.of(capture) for capture in captures])
        case KeptGift():
            return GiftData(
                gift_id=kept.gift_id,
                direction="given" if kept.is_given else "received",
                point_type=kept.point_type,
                points=kept.points,
                given_at=kept.given_at,
            )
        case Voucher():
            return VoucherData.of(kept, types)
        case KeptShare():
            return LentData(
                point_type=kept.point_type,
                held_at=kept.held_at,
                held_points=kept.held_points,
                open_points=kept.open_points,
                captured_points=kept.captured_points,
            )
        case KeptTender():
            return TenderData(
                receipt_id=receipt_id_of(kept.receipt_key),
                redemption_id=kept.redemption_id,
                partner_id=kept.partner_id,
                points=kept.points,
                waiting_since=kept.waiting_since,
                occurred_at=kept.occurred_at,
                store_id=kept.store_id,
                categories=list(kept.categories),
            )
        case KeptQuote():
            return QuoteData(**asdict(kept) | {"checkout": json.loads(kept.checkout)})
        case KeptGrant() | KeptPrivilegeUse() | Bought():
            return _of_privileges(kept)
        case KeptChallenge():
            return ChallengeData(
                spend_kind=kept.kind, **{name: value for name, value in asdict(kept).items() if name != "kind"}
            )
        case KeptLine(point_type=point_type, line=line):
            return LineData(point_type=point_type, line=StatementLineAnswer.of(line))
        case _:
            assert_never(kept)


def _of_privileges(kept: KeptGrant | KeptPrivilegeUse | Bought) -> OfPrivileges:
    if isinstance(kept, Bought):
        return BoughtPrivilegeData(
            receipt_id=receipt_id_of(kept.receipt_key),
            privilege_id=kept.privilege_id,
            partner_id=kept.partner_id,
            bought_at=kept.bought_at,
            last_day=kept.last_day,
            is_undone=kept.is_undone,
        )
    if isinstance(kept, KeptGrant):
        return GrantData(**asdict(kept))
    said = {name: value for name, value in asdict(kept).items() if name != "receipt_key"}
    return PrivilegeUseData(receipt_id=receipt_id_of(kept.receipt_key), **said)
