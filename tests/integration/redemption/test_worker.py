"""Redemption's worker on the real broker: receipts that were paid with points, and holds whose time is over."""

from uuid import UUID

import pytest

from services.redemption.domain.redemption import State
from shared.events.catalogue import COALITION, MEMBERS, POINTS, PURCHASES, REDEMPTIONS
from shared.events.envelope import Event
from shared.events.points import ReceiptRefused, RefusalData
from shared.events.purchases import PurchaseRecorded
from shared.events.redemptions import RedemptionCaptured, RedemptionExpired, RedemptionHeld
from shared.ids import new_id
from shared.kafka import KafkaSettings, OutgoingRecord
from shared.kafka.topics import dead_letter_topic
from shared.outbox import Message
from tests.support.consuming import read_all, send
from tests.support.databases import FreshDatabase
from tests.support.receipts import card, member, purchase
from tests.support.redemption import NOON, Spending, enrolled, linked, paid_with_points, partner
from tests.support.redemption_service import redemption_service
from tests.support.until import until

ANNA = member(1)


def record(event: Event, topic: str, key: str, *, points_tender: bool | None = None) -> OutgoingRecord:
    headers = () if points_tender is None else (("points_tender", b"1" if points_tender else b"0"),)
    message = Message.of(event, topic, key, headers)
    return OutgoingRecord(topic, key.encode(), message.body, message.headers)


def receipt(event: PurchaseRecorded) -> OutgoingRecord:
    return record(event, PURCHASES.topic, str(event.data.member_id or ANNA), points_tender=bool(event.data.tenders))


async def told(kafka: KafkaSettings) -> list[Event]:
    return [REDEMPTIONS.read(found.value) for found in await read_all(kafka, REDEMPTIONS.topic)]


async def until_state(spending: Spending, redemption_id: UUID, state: State) -> None:
    async def stands() -> bool:
        return (await spending.redemption(redemption_id)).state is state

    await until(stands)


async def until_relayed(spending: Spending) -> None:
    async def is_empty() -> bool:
        async with spending.database.transaction() as transaction:
            return not await transaction.raw.fetchval("select exists (select from outbox)")

    await until(is_empty)


async def test_receipts_capture_their_holds_once_however_often_they_come(
    own_database: FreshDatabase, kafka_settings: KafkaSettings, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)
    first, second = [(await spending.held(ANNA, 300)).redemption_id for _ in range(2)]
    records = [
        receipt(paid_with_points(1, 300, first, owner=ANNA)),
        receipt(purchase(2, 500, owner=ANNA)),  # paid otherwise
        receipt(paid_with_points(3, 250, second, owner=ANNA)),
    ]

    async with redemption_service(own_database, "worker", kafka_settings):
        await send(kafka_settings, records)
        await until_state(spending, second, State.CAPTURED)
        last = (await spending.held(ANNA, 10)).redemption_id
        await send(kafka_settings, [*records, *reversed(records), receipt(paid_with_points(4, 10, last, owner=ANNA))])
        await until_state(spending, last, State.CAPTURED)
        await until_relayed(spending)

    events = await told(kafka_settings)
    assert [type(event) for event in events] == [RedemptionHeld] * 2 + [RedemptionCaptured] * 2 + [
        RedemptionHeld,
        RedemptionCaptured,
    ]
    assert (await spending.balance(ANNA)).available == 1000 - 300 - 250 - 10
    await spending.check([ANNA], 1000)


async def test_what_cannot_be_read_is_put_aside_and_what_is_not_wanted_is_not_read(
    own_database: FreshDatabase, kafka_settings: KafkaSettings, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)
    hold = (await spending.held(ANNA, 300)).redemption_id
    wanted, unwanted = ("points_tender", b"1"), ("points_tender", b"0")
    known = ("type", b"loyalty.purchase.recorded.v1")
    garbage, unread = [
        OutgoingRecord(PURCHASES.topic, b"k", b"\xff{", (known, header)) for header in (wanted, unwanted)
    ]
    unknown = OutgoingRecord(PURCHASES.topic, b"k", b"{}", (("type", b"loyalty.receipt.invented.v1"), wanted))
    foreign = paid_with_points(9, 10, None, owner=ANNA)
    foreign = foreign.model_copy(update={"data": foreign.data.model_copy(update={"partner_id": "fuel"})})
    of_nobody = OutgoingRecord(MEMBERS.topic, b"k", b"{}", (("type", b"loyalty.member.invented.v1"),))

    async with redemption_service(own_database, "worker", kafka_settings):
        await send(
            kafka_settings,
            [
                garbage,
                unread,
                unknown,
                receipt(foreign),
                of_nobody,
                receipt(paid_with_points(1, 300, hold, owner=ANNA)),
            ],
        )
        await until_state(spending, hold, State.CAPTURED)

        async def are_kept() -> bool:
            async with spending.database.transaction() as transaction:
                return bool(await transaction.raw.fetchval("select count(*) = 4 from dead_letters"))

        await until(are_kept)

    letters = await read_all(kafka_settings, dead_letter_topic(PURCHASES.topic, "redemption"))
    assert {letter.value for letter in letters} == {garbage.body, unknown.body, foreign.to_bytes()}
    await spending.check([ANNA], 1000)


async def test_a_hold_expires_once_every_partition_has_been_read(
    own_database: FreshDatabase, kafka_settings: KafkaSettings, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)
    hold = (await spending.held(ANNA, 300, seconds=1)).redemption_id

    async with redemption_service(own_database, "worker", kafka_settings):
        await until_state(spending, hold, State.EXPIRED)
        await until_relayed(spending)

    assert [type(event) for event in await told(kafka_settings)] == [RedemptionHeld, RedemptionExpired]
    assert (await spending.balance(ANNA)).available == 1000
    await spending.check([ANNA], 1000)


async def test_members_partners_and_refusals_are_taken_in(
    own_database: FreshDatabase, kafka_settings: KafkaSettings, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt of an unknown card waits, its card is registered, and the sweep lets it pay."""
    monkeypatch.setattr("services.redemption.app.SWEEP_SECONDS", 0.2)  # who waits for it waits less
    parked = paid_with_points(1, 100, new_id(), identifier_hash=card(1))
    refused = paid_with_points(2, 100, None, identifier_hash=card(1))
    refusal = ReceiptRefused(
        id=new_id(),
        source="accrual",
        subject=refused.data.receipt_id,
        time=NOON,
        data=RefusalData(
            receipt_id=refused.data.receipt_id,
            content_hash=refused.data.content_hash,
            partner_id="grocer",
            reason="content_conflict",
            detail="another document has this key",
        ),
    )
    tender = parked.data.tenders[0].redemption_id
    assert tender is not None

    async with redemption_service(own_database, "worker", kafka_settings):
        await send(kafka_settings, [receipt(parked), receipt(refused)])
        await until(lambda: _waits(spending, 2))
        await send(kafka_settings, [record(refusal, POINTS.topic, refused.data.receipt_id)])
        await until(lambda: _waits(spending, 1))
        await spending.enrol(ANNA, 1000)
        await send(
            kafka_settings,
            [
                record(partner("grocer", "Green Grocer"), COALITION.topic, "grocer"),
                record(enrolled(ANNA, version=2), MEMBERS.topic, str(ANNA)),
                record(linked(ANNA, card(1)), MEMBERS.topic, str(ANNA)),
            ],
        )
        await until_state(spending, tender, State.CAPTURED)

    assert (await spending.balance(ANNA)).available == 900
    assert await spending.waiting() == 0
    async with spending.database.transaction() as transaction:
        assert await transaction.raw.fetchval("select name from redemption_partners") == "Green Grocer"
    await spending.check([ANNA], 1000)


async def _waits(spending: Spending, count: int) -> bool:
    return await spending.waiting() == count
