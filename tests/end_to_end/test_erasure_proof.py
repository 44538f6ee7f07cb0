"""The erasure proof: a member lives through every service, is erased, and nothing that is stored leads to a person.

It reads every column of every table at once, every topic after its records were deleted up to the erasure (as retention
does it), and every process's log; and looks for what the person said, in any spelling, and for every hash of it.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from deploy.local.stack import LocalStack
from deploy.local.stack_secrets import load_or_make_secrets
from services.accrual.schemas.documents import ReceiptBody
from shared.content_hash import content_hash
from shared.database.roles import SERVICES
from shared.ids import IdentifierKey, IdentifierType, hash_identifier, normalise_identifier
from shared.kafka.producer import EventProducer, OutgoingRecord
from shared.kafka.topics import SUBSCRIBERS, dead_letter_topic, retry_topic
from tests.support.stack_looks import end_offsets, read_whole
from tests.support.traces import holds, spellings, traces_in_tables
from tests.support.until import until

pytestmark = pytest.mark.faults  # on the stack that these share: run alone, one after another

SETTLED_SECONDS_MAX = 60.0
CARD, SECOND_CARD, PHONE = "QX77001122", "QX77003344", "+12125550199"
EMAIL = "zebulon.quagmire@example.com"
PERSON = {
    "given_name": "Zebulon",
    "family_name": "Quagmire",
    "email": EMAIL,
    "phone": PHONE,
    "birth_date": "1971-03-09",
    "address": {"lines": ["17 Xylophone Lane"], "city": "Ypsilanti", "country": "US", "postal_code": "48197-7731"},
    "language": "en",
    "identifiers": [{"type": "card", "value": CARD}, {"type": "phone", "value": PHONE}],
}
SAID = ("Zebulon", "Quagmire", EMAIL, PHONE, PHONE[2:], "1971-03-09", "Xylophone", "48197-7731", CARD, SECOND_CARD)


TOMBSTONES = """
    select (select count(*) from accrual.members where erased_version is not null)
        + (select count(*) from redemption.redemption_members where erased_version is not null)
        + (select count(*) from fraud.member_windows where erased_version is not null)
        + (select count(*) from notifications.recipients where erased_version is not null)
        + (select count(*) from coalition.erased_members)
"""
UNSENT = " + ".join(f"(select count(*) from {service}.outbox)" for service in SERVICES)
PENDING_LETTERS = " + ".join(
    f"(select count(*) from {service}.dead_letters where fate = 'pending')" for service in SERVICES
)
# Topics that are declared for a service which reads nothing of them today.
UNREAD = {
    ("loyalty.points", "fraud"),
    ("loyalty.points", "redemption"),  # but for one type of event
    ("loyalty.redemptions", "fraud"),
    ("loyalty.redemptions", "notifications"),
    ("loyalty.fraud", "redemption"),
    ("loyalty.fraud", "notifications"),
    ("loyalty.notifications", "fraud"),
}
READ = [
    (topic, service)
    for topic, services in SUBSCRIBERS.items()
    for service in services
    if (topic, service) not in UNREAD
]
# Each service is given two records that it cannot handle on every topic that it reads, and on its retry topic.
KEYS_OF_BROKEN = 2
LETTERS_EXPECTED = " and ".join(
    f"(select count(*) from {service}.dead_letters)"
    f" >= {2 * KEYS_OF_BROKEN * len([topic for topic, reader in READ if reader == service])}"
    for service in SERVICES
)


@dataclass(frozen=True)
class Scene:
    """A stack with everything set up, and calls to it."""

    stack: LocalStack
    http: httpx2.AsyncClient
    admin: "asyncpg.Connection[asyncpg.Record]"
    posted: list[dict[str, Any]] = field(default_factory=list)

    async def post(self, service: str, path: str, body: object, **headers: str) -> Any:
        """A POST that succeeds."""
        answer = await self.http.post(
            f"{self.stack.url(service)}/v1/{path}", json=body, headers={"Idempotency-Key": uuid4().hex} | headers
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def receipt(self, number: int, card: str | None = CARD, **others: object) -> Any:
        """A receipt that was waited for."""
        document = {
            "partner_id": "acme",
            "key": till_key(number),
            "occurred_at": datetime.now(UTC).isoformat(),
            "operator_id": "cashier-7",
            "currency": "USD",
            "total_minor": 1_000,
            "lines": [{"line_id": 1, "sku": "nails", "quantity": "1", "amount_minor": 1_000}],
        }
        identifier = {"identifier": {"type": "card", "value": card}} if card is not None else {}
        self.posted.append(document | identifier | others)
        return await self.post("accrual", "receipts", self.posted[-1], Prefer="wait=20")

    def documents_hashes(self) -> list[bytes]:
        """Of what was posted so far, what anybody could make by trying cards: hashes without a key."""
        told = [content_hash(ReceiptBody.model_validate_json(json.dumps(document))) for document in self.posted]
        return [form for each in told for form in (bytes.fromhex(each), each.encode())]

    async def count(self, statement: str) -> int:
        """One number from the database."""
        return int(await self.admin.fetchval(f"select {statement}"))


@pytest.fixture
async def scene(whole_stack: LocalStack) -> AsyncIterator[Scene]:
    admin = await asyncpg.connect(whole_stack.admin_url)
    headers = {"Authorization": f"Bearer {whole_stack.token()}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30.0, trust_env=False) as http:
        scene = Scene(whole_stack, http, admin)
        await scene.post("coalition", "partners", {"partner_id": "acme", "name": "Acme"})
        await scene.post(
            "coalition", "partners/acme/stores", {"store_id": "s1", "name": "First", "time_zone": "America/New_York"}
        )
        await scene.post("coalition", "partners/acme/stores/s1/tills", {"till_id": "1", "key_scheme": "sequence"})
        await until(lambda: scene.count("count(*) from accrual.tills where partner_id = 'acme'"))
        yield scene
    await admin.close()


def till_key(number: int) -> dict[str, object]:
    return {
        "scheme": "sequence",
        "store_id": "s1",
        "till_id": "1",
        "business_date": f"{datetime.now(UTC):%Y-%m-%d}",
        "shift": 1,
        "number": number,
    }


def hashes(stack: LocalStack) -> list[str]:
    """The keyed hashes of what identifies the person, as every service makes them."""
    key = IdentifierKey(1, bytes.fromhex(load_or_make_secrets(stack.config.secrets_file).identifier_key))
    identifiers = (
        (IdentifierType.CARD, CARD),
        (IdentifierType.CARD, SECOND_CARD),
        (IdentifierType.PHONE, PHONE),
        (IdentifierType.EMAIL, EMAIL),
    )
    return [hash_identifier(kind, normalise_identifier(kind, value, "US"), key) for kind, value in identifiers]


def plain_digests(texts: Iterable[str]) -> list[bytes]:
    """Digests that somebody might have made without a key, as bytes and in hexadecimal."""
    made = [digest(spelling) for spelling in spellings(texts) for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5)]
    return [form for digest in made for form in (digest.digest(), digest.hexdigest().encode())]


async def test_nothing_that_is_stored_leads_to_an_erased_person(scene: Scene) -> None:
    keyed = spellings(hashes(scene.stack))
    wanted = [*spellings(SAID), *keyed, *plain_digests(SAID)]
    member_id = await live_through_everything(scene)
    await is_given_everything(scene, member_id)
    before = await traces_in_tables(scene.stack.admin_url, wanted)
    assert {
        "members.identifiers.identifier_hash",
        "accrual.identifiers.identifier_hash",
        *(f"{service}.dead_letters.body" for service in SERVICES),
        "coalition.operators.own_card_hashes",
        "fraud.operators.own_card_hashes",
    } <= {*before}

    await scene.post("members", f"members/{member_id}/erase", {"reason_code": "data_subject_request"})
    forgotten = f"({TOMBSTONES}) = 5 and ({UNSENT}) = 0 and ({PENDING_LETTERS}) = 0"
    await until(lambda: scene.count(forgotten), seconds_max=SETTLED_SECONDS_MAX)
    told = {topic for topic, record in await read_topics(scene.stack) if holds(record, wanted)}
    assert {"loyalty.members", "loyalty.purchases"} <= told
    assert {name(*read) for read in READ for name in (dead_letter_topic, retry_topic)} <= told
    await delete_records(scene.stack)
    wanted += scene.documents_hashes()
    await life_goes_on(scene)

    assert await traces_in_tables(scene.stack.admin_url, wanted) == []
    records = await read_topics(scene.stack)
    assert any(b"acme" in record for _, record in records)
    assert [topic for topic, record in records if holds(record, wanted)] == []
    logs = read_logs(scene.stack.config.log_dir)
    assert len(logs) > 9
    assert [name for name, text in logs.items() if holds(text, wanted)] == []


async def live_through_everything(scene: Scene) -> str:
    """Purchases, one of them before the card was registered, a return, a hold, a capture, a signal with its case, a
    digest, records that nobody can handle; all as the cashier who served, as the partner had registered; who it was."""
    await scene.post("coalition", "partners/acme/operators", {"operator_id": "cashier-7", "own_card": CARD.lower()})
    await until(lambda: scene.count("count(*) = 1 from fraud.operators"))
    await scene.receipt(1)  # nobody's card yet: it waits
    member_id: str = (await scene.post("members", "members", PERSON))["member_id"]
    await scene.post("members", f"members/{member_id}/identifiers", {"type": "card", "value": SECOND_CARD})
    await until(lambda: scene.count("count(*) = 3 from accrual.identifiers"))
    await until(lambda: scene.count("count(*) = 1 from accrual.awards where partner_id = 'acme'"))
    await scene.receipt(2, SECOND_CARD)
    hold = await scene.post(
        "redemption",
        "redemptions",
        {"identifier": {"type": "card", "value": CARD}, "points": 5, "partner_id": "acme"},
    )
    await scene.post("redemption", f"redemptions/{hold['redemption_id']}/capture", {"receipt": till_key(3)})
    await scene.receipt(3)
    returned = [{"line_id": 1, "original_line_id": 1, "sku": "nails", "quantity": "1", "amount_minor": 1_000}]
    await scene.receipt(4, type="return", original=till_key(2), lines=returned)
    await send_broken(scene.stack, (member_id, hashes(scene.stack)[0]))
    mails = scene.stack.config.mail_dir
    await until(lambda: scene.count("count(*) from fraud.cases"), seconds_max=SETTLED_SECONDS_MAX)
    assert await scene.count("count(*) from fraud.window_receipts where is_own_card")
    await until(lambda: any(mails.glob("*.eml")), seconds_max=SETTLED_SECONDS_MAX)
    await until(lambda: scene.count(f"{LETTERS_EXPECTED} and ({UNSENT}) = 0"), seconds_max=SETTLED_SECONDS_MAX)
    return member_id


async def send_broken(stack: LocalStack, keys: tuple[str, ...]) -> None:
    """Records under these keys that nobody can handle: on every topic, and where each service reads replays of it."""
    assert len(keys) == KEYS_OF_BROKEN
    headers = {"loyalty.purchases": (("type", b"loyalty.purchase.recorded.v1"), ("points_tender", b"1"))}
    broken = [
        OutgoingRecord(name, key.encode(), b"{broken " + key.encode(), headers.get(topic, ()))
        for topic, name in sorted({(topic, name) for topic, each in READ for name in (topic, retry_topic(topic, each))})
        for key in keys
    ]
    producer = EventProducer(stack.kafka_settings)
    await producer.send_all(broken, deadline_seconds=10.0)
    await producer.stop()


async def is_given_everything(scene: Scene, member_id: str) -> None:
    """An export over the running services, each asked by members with a token of its own: and nothing of it stays."""
    answer = await scene.http.get(f"{scene.stack.url('members')}/v1/members/{member_id}/export")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["person"]["family_name"], len(told["identifiers"])) == ("Quagmire", 3)
    assert {name: {item["kind"] for item in items} for name, items in told["services"].items()} == {
        "accrual": {"award", "return"},
        "redemption": {"redemption", "statement_line"},
        "fraud": {"signal", "hold", "case", "spend_decision", "identifier_times"},
        "notifications": {"message"},
    }
    receipts = {item["receipt_id"] for item in told["services"]["accrual"] if item["kind"] == "award"}
    assert len(receipts) == 3
    assert holds(answer.content, spellings(hashes(scene.stack))) is False


async def life_goes_on(scene: Scene) -> None:
    """Another member comes, and buys; what is read below is not empty."""
    other = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"}
    identifiers = [{"type": "card", "value": "AD11223344"}]
    await scene.post("members", "members", other | {"identifiers": identifiers})
    await scene.receipt(9, "AD11223344")
    await until(lambda: scene.count(f"({UNSENT}) = 0"))


async def delete_records(stack: LocalStack) -> None:
    """Delete what stands on every topic by now, as retention will."""
    ends = await end_offsets(stack)
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        assert {partition.topic for partition in ends} == {
            topic for topic in await admin.list_topics() if not topic.startswith("__")
        }
        await admin.delete_records({partition: RecordsToDelete(end) for partition, end in ends.items() if end})
    finally:
        await admin.close()


async def read_topics(stack: LocalStack) -> list[tuple[str, bytes]]:
    """Everything that stands on any topic: key, headers and value in one."""
    return [(record.topic, _whole(record)) for record in await read_whole(stack)]


def _whole(record: Any) -> bytes:
    return b"\n".join([record.key or b"", record.value or b"", *(value or b"" for _, value in record.headers)])


def read_logs(folder: Path) -> dict[str, bytes]:
    """Every process's log, the servers' too."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
