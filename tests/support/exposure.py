"""Points as partners issue, take back and redeem them, as events, and a coalition that counts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import asyncpg
import httpx2

from services.coalition.consumer import PointsHandler, RedemptionHandler
from services.coalition.use_cases.judge_exposure import review_exposures
from shared.database import Database
from shared.events.award_parts import AwardPart
from shared.events.balances import Balance, IssuerPoints
from shared.events.catalogue import COALITION
from shared.events.contracts import ExposureChanged, PrepaidExhausted, PrepaidLow
from shared.events.points import (
    AwardData,
    ClawBackData,
    GivenPoints,
    LapseData,
    MoveData,
    PointsClawedBack,
    PointsEarned,
    PointsExchanged,
    PointsExchangeData,
    PointsLapsed,
    ReceiptMoved,
    TakenPoints,
)
from shared.events.redemptions import CaptureData, RedemptionCaptured, RedemptionRefunded, RefundData
from shared.events.rewards import ReturnedRewardData, RewardReturned, RewardUsed, UsedRewardData
from shared.kafka import Batch
from shared.kafka.records import Record
from shared.receipt_key import DocumentKey, encode_receipt_key, receipt_id_of
from tests.support.contracts import approved, contract_body
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

MEMBER = UUID(int=7)
NOTHING = Balance(available=0, held=0, pending=0, debt=0)
Event = (
    PointsEarned
    | PointsClawedBack
    | PointsExchanged
    | PointsLapsed
    | ReceiptMoved
    | RedemptionCaptured
    | RedemptionRefunded
    | RewardUsed
    | RewardReturned
)
_SPENDING = RedemptionCaptured | RedemptionRefunded | RewardUsed | RewardReturned
Told = ExposureChanged | PrepaidLow | PrepaidExhausted


def receipt_id(partner_id: str, number: int) -> str:
    """A receipt of a partner."""
    return receipt_id_of(
        encode_receipt_key(partner_id, DocumentKey(scheme="document", source="shop", number=str(number)))
    )


def earned(
    partner_id: str, number: int, points: int, at: datetime, part: int | None = None, point_type: str = "points"
) -> PointsEarned:
    """A receipt's points; every call is an event of its own, of the same effect for the same receipt and part."""
    data = AwardData(
        member_id=MEMBER,
        receipt_id=receipt_id(partner_id, number),
        partner_id=partner_id,
        point_type=point_type,
        points=points,
        part=None if part is None else AwardPart(number=part),
        by_rule=(),
        rule_set_version=1,
        occurred_at=at,
        balance=NOTHING,
    )
    return PointsEarned(id=uuid4(), source="accrual", subject=str(MEMBER), time=at, data=data)


def clawed_back(
    partner_id: str,
    number: int,
    original: int,
    points: int,
    at: datetime,
    part: int | None = None,
    point_type: str = "points",
    occurred_at: datetime | None = None,
    cause: str | None = None,
) -> PointsClawedBack:
    """What a return took back of a receipt's points; one that names no purchase names itself, and says when it was."""
    data = ClawBackData(
        member_id=MEMBER,
        receipt_id=receipt_id(partner_id, number),
        original_receipt_id=receipt_id(partner_id, original),
        partner_id=partner_id,
        point_type=point_type,
        points=points,
        became_debt=0,
        balance=NOTHING,
        part=part,
        occurred_at=occurred_at,
        cause=cause,
    )
    return PointsClawedBack(id=uuid4(), source="accrual", subject=str(MEMBER), time=at, data=data)


def exchanged(
    partner_id: str,
    number: int,
    taken: dict[tuple[int, int], int],
    given: dict[tuple[int, int], int],
    at: datetime,
    cause: Literal["exchange", "void"] = "exchange",
) -> PointsExchanged:
    """What an exchange took of receipts' points and gave of its own (or its void of others'), by receipt and part."""
    data = PointsExchangeData(
        member_id=MEMBER,
        receipt_id=receipt_id(partner_id, number),
        partner_id=partner_id,
        point_type="points",
        cause=cause,
        taken=tuple(
            TakenPoints(receipt_id=receipt_id(partner_id, of), points=points, part=part or None)
            for (of, part), points in taken.items()
        ),
        given=tuple(
            GivenPoints(
                receipt_id=receipt_id(partner_id, of),
                occurred_at=at,
                points=points,
                part=AwardPart(number=part) if part else None,
            )
            for (of, part), points in given.items()
        ),
        balance=NOTHING,
    )
    return PointsExchanged(id=uuid4(), source="accrual", subject=str(MEMBER), time=at, data=data)


def lapsed(partner_id: str, number: int, points: int, at: datetime, part: int) -> PointsLapsed:
    """What a part of a receipt's points waited for did not come."""
    data = LapseData(
        member_id=MEMBER,
        receipt_id=receipt_id(partner_id, number),
        partner_id=partner_id,
        point_type="points",
        points=points,
        waited_for="delivered",
        balance=NOTHING,
        part=part,
    )
    return PointsLapsed(id=uuid4(), source="accrual", subject=str(MEMBER), time=at, data=data)


def moved(partner_id: str, number: int, move_id: UUID, taken: int, given: int, at: datetime) -> list[ReceiptMoved]:
    """A receipt went from one member to another: both sides, the newer member's first."""
    other = UUID(int=8)
    said: dict[str, Any] = {
        "move_id": move_id,
        "receipt_id": receipt_id(partner_id, number),
        "partner_id": partner_id,
        "point_type": "points",
        "reason_code": "wrong_card",
        "rule_set_version": 1,
        "occurred_at": at,
    }
    came = MoveData(member_id=other, other_member_id=MEMBER, direction="to", points=given, **said)
    went = MoveData(member_id=MEMBER, other_member_id=other, direction="from", points=taken, **said)
    return [
        ReceiptMoved(id=uuid4(), source="accrual", subject=str(data.member_id), time=at, data=data)
        for data in (came, went)
    ]


def captured(partner_id: str, number: int, by_issuer: dict[str, int], at: datetime) -> RedemptionCaptured:
    """Points that a partner took, by who had issued them."""
    data = CaptureData(
        redemption_id=UUID(int=number),
        receipt_id=receipt_id(partner_id, number),
        member_id=MEMBER,
        partner_id=partner_id,
        point_type="points",
        points=sum(by_issuer.values()),
        by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in by_issuer.items()),
        balance=NOTHING,
    )
    return RedemptionCaptured(id=uuid4(), source="redemption", subject=str(MEMBER), time=at, data=data)


def reward_used(partner_id: str, number: int, by_issuer: dict[str, int], at: datetime) -> RewardUsed:
    """A voucher that a partner took, by who had issued its points."""
    data = UsedRewardData(
        voucher_id=UUID(int=number),
        reward_id="coffee",
        reward_version=1,
        receipt_id=receipt_id(partner_id, number),
        member_id=MEMBER,
        partner_id=partner_id,
        point_type="points",
        points=sum(by_issuer.values()),
        by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in by_issuer.items()),
        balance=NOTHING,
    )
    return RewardUsed(id=uuid4(), source="redemption", subject=str(MEMBER), time=at, data=data)


def reward_returned(used: RewardUsed, undone_by: int) -> RewardReturned:
    """The receipt that had used the voucher was voided; every call is an event of its own."""
    said = used.data.model_dump(exclude={"cost_minor"})
    undoing = receipt_id(used.data.partner_id, undone_by)
    data = ReturnedRewardData.model_validate(said | {"undone_by": undoing, "used_at": used.time})
    return RewardReturned(id=uuid4(), source="redemption", subject=str(MEMBER), time=used.time, data=data)


def refunded(
    taken: RedemptionCaptured, undone_by: int, by_issuer: dict[str, int], content_hash: str | None = None
) -> RedemptionRefunded:
    """What a document gave back of what was captured; every call is an event of its own."""
    data = RefundData(
        redemption_id=taken.data.redemption_id,
        receipt_id=taken.data.receipt_id,
        undone_by=receipt_id(taken.data.partner_id, undone_by),
        cause="void",
        member_id=MEMBER,
        partner_id=taken.data.partner_id,
        point_type="points",
        points=sum(by_issuer.values()),
        captured_at=taken.time,
        by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in by_issuer.items()),
        balance=NOTHING,
        content_hash=content_hash,
    )
    return RedemptionRefunded(id=uuid4(), source="redemption", subject=str(MEMBER), time=taken.time, data=data)


def batch_of(events: Sequence[Any]) -> Batch[Any]:
    """Events as a consumer hands them to a handler."""
    records = tuple(
        Record(event, "topic", 0, offset, None, event.to_bytes(), {}) for offset, event in enumerate(events)
    )
    return Batch(records, ())


@dataclass(frozen=True, slots=True)
class Coalition:
    """The service over HTTP, its handlers, and its clock."""

    database: Database
    client: httpx2.AsyncClient
    admin: "asyncpg.Connection[asyncpg.Record]"

    async def now(self) -> datetime:
        """Business time."""
        async with self.database.transaction() as transaction:
            return transaction.now

    async def wait(self, by: timedelta) -> datetime:
        """Move business time; the new one comes back."""
        await self.admin.execute(
            "insert into platform.business_clock (clock_offset) values ($1)"
            " on conflict (singleton) do update set clock_offset = business_clock.clock_offset + $1",
            by,
        )
        return await self.now()

    async def partner(self, **terms: Any) -> str:
        """A partner of its own with a contract that has just begun; nothing was told of it yet."""
        partner_id = f"p-{uuid4().hex[:12]}"
        body = {"partner_id": partner_id, "name": partner_id}
        assert (await self.client.post("/v1/partners", json=body, headers=bearing())).status_code == 201
        begins_at = await self.now() + timedelta(minutes=2)
        await approved(self.client, contract_body(partner_id, begins_at, **terms))
        await self.wait(timedelta(minutes=3))
        return partner_id

    async def count(self, *events: Event) -> None:
        """What the topics bring, each topic as a batch."""
        points = [event for event in events if not isinstance(event, _SPENDING)]
        redemptions = [event for event in events if isinstance(event, _SPENDING)]
        if points:
            await PointsHandler(self.database).handle(batch_of(points))
        if redemptions:
            await RedemptionHandler(self.database).handle(batch_of(redemptions))

    async def review(self) -> None:
        """What the worker does every second."""
        while await self.database.run(review_exposures):
            pass

    async def top_up(self, partner_id: str, document: str, amount_minor: int, **other: Any) -> httpx2.Response:
        """Book a payment."""
        body = {"document_number": document, "amount_minor": amount_minor, "currency": "USD"} | other
        return await self.client.post(f"/v1/partners/{partner_id}/top-ups", json=body, headers=bearing())

    async def exposure(self, partner_id: str) -> dict[str, Any]:
        """Where a partner stands, over HTTP."""
        answer = await self.client.get(f"/v1/partners/{partner_id}/exposure", headers=bearing("contracts:read"))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def told(self, partner_id: str) -> list[Told]:
        """What was told of a partner's exposure, in order."""
        return [
            row.event
            for row in await recorded_events(self.database, COALITION)
            if isinstance(row.event, Told) and row.event.data.partner_id == partner_id
        ]
