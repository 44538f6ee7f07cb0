"""The purchases that both scenarios work on: five lines, 1.2 kB, spread over some thousand members."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID, uuid5

from shared.events.catalogue import COALITION, MEMBERS
from shared.events.coalition import PartnerChanged, PartnerData, StoreChanged, StoreData, TillChanged, TillData
from shared.events.envelope import Event
from shared.events.members import MemberData, MemberEnrolled
from shared.events.purchases import PurchaseData, PurchaseLine, PurchaseRecorded, Tender
from shared.ids import new_id
from shared.kafka.producer import EventProducer, OutgoingRecord
from shared.outbox.recording import event_type
from shared.receipt_key import SequenceKey, encode_receipt_key, receipt_id_of

PARTNER, STORE, TILL = "bench", "1", "1"
LINES = 5
CATEGORIES = ("GROCERY", "PRODUCE", "MEAT", "DELI", "PASTRY")
SEND_CHUNK = 2_000
SEND_SECONDS_MAX = 60.0
_NAMESPACE = UUID("f3a0c8de-3d6e-4bb7-9d43-0f6f9f6f9a55")
_SOURCE = "bench"


def member_ids(count: int) -> list[UUID]:
    """The members of the workload, the same every time."""
    return [uuid5(_NAMESPACE, str(number)) for number in range(count)]


def coalition(till_key_sha256: str = "0" * 64) -> list[tuple[str, str, Event]]:
    """A partner with a store and a till, as (topic, key, event). No key has the hash that the till's has by default."""
    now = datetime.now(UTC)
    partner = PartnerData(partner_id=PARTNER, version=1, name="Bench", state="active")
    store = StoreData(partner_id=PARTNER, store_id=STORE, version=1, name="Bench", time_zone="America/New_York")
    till = TillData(
        partner_id=PARTNER, store_id=STORE, till_id=TILL, version=1, key_scheme="sequence", key_sha256=till_key_sha256
    )
    events: list[Event] = [
        PartnerChanged(id=new_id(), source=_SOURCE, subject=PARTNER, time=now, data=partner),
        StoreChanged(id=new_id(), source=_SOURCE, subject=STORE, time=now, data=store),
        TillChanged(id=new_id(), source=_SOURCE, subject=TILL, time=now, data=till),
    ]
    return [(COALITION.topic, PARTNER, event) for event in events]


def enrolments(members: Sequence[UUID]) -> list[tuple[str, str, Event]]:
    """Every member of the workload, as (topic, key, event)."""
    now = datetime.now(UTC)
    return [
        (
            MEMBERS.topic,
            str(member),
            MemberEnrolled(
                id=new_id(),
                source=_SOURCE,
                subject=str(member),
                time=now,
                data=MemberData(member_id=member, version=1, status="active"),
            ),
        )
        for member in members
    ]


def purchases(topic: str, members: Sequence[UUID], first: int, count: int) -> Iterator[tuple[str, str, Event]]:
    """``count`` purchases from number ``first`` on, as (topic, key, event). Numbers never repeat between rounds."""
    now = datetime.now(UTC)
    for number in range(first, first + count):
        member = members[(number * 2_654_435_761) % len(members)]  # Knuth's multiplier: spread, and the same always
        yield topic, str(member), _purchase(number, member, now)


async def send(
    producer: EventProducer, messages: Iterator[tuple[str, str, Event]] | Sequence[tuple[str, str, Event]]
) -> None:
    """Produce everything and wait for every ack."""
    chunk: list[OutgoingRecord] = []
    for topic, key, event in messages:
        headers = (("type", event_type(event).encode()), ("points_tender", b"0"))
        chunk.append(OutgoingRecord(topic, key.encode(), event.to_bytes(), headers))
        if len(chunk) == SEND_CHUNK:
            await producer.send_all(chunk, deadline_seconds=SEND_SECONDS_MAX)
            chunk = []
    await producer.send_all(chunk, deadline_seconds=SEND_SECONDS_MAX)


def _purchase(number: int, member: UUID, now: datetime) -> PurchaseRecorded:
    key = SequenceKey(
        scheme="sequence", store_id=STORE, till_id=TILL, business_date=date(2026, 1, 1), shift=1, number=number
    )
    receipt_id = receipt_id_of(encode_receipt_key(PARTNER, key))
    amounts = [199 + (number * 7 + line * 131) % 1_800 for line in range(LINES)]
    return PurchaseRecorded(
        id=uuid5(_NAMESPACE, receipt_id),
        source=_SOURCE,
        subject=receipt_id,
        time=now,
        data=PurchaseData(
            receipt_id=receipt_id,
            content_hash=hashlib.sha256(receipt_id.encode()).hexdigest(),
            partner_id=PARTNER,
            store_id=STORE,
            till_id=TILL,
            shift=1,
            member_id=member,
            occurred_at=now,
            received_at=now,
            currency="USD",
            total_minor=sum(amounts),
            tenders=(Tender(kind="card", amount_minor=sum(amounts)),),
            lines=tuple(
                PurchaseLine(
                    line_id=line + 1,
                    sku=f"{10_000_000 + number % 50_000 + line}",
                    category=CATEGORIES[line],
                    quantity_thousandths=1_000,
                    amount_minor=amount,
                )
                for line, amount in enumerate(amounts)
            ),
        ),
    )
