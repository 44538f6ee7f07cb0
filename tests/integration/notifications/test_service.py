"""The whole service on a real broker and database: facts in, mail and facts out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import httpx2
import pytest

from services.notifications.app import build
from services.notifications.settings import NotificationsSettings
from shared.events.balances import Balance
from shared.events.catalogue import COALITION, MEMBERS, NOTIFICATIONS, POINTS
from shared.events.coalition import PartnerChanged, PartnerData
from shared.events.envelope import Event
from shared.events.members import MemberData, MemberEnrolled
from shared.events.points import AwardData, PointsEarned
from shared.ids import new_id
from shared.kafka import KafkaSettings, OutgoingRecord
from shared.receipt_key import receipt_id_of
from shared.runtime.process import ServiceProcess
from shared.web import StaticKeySource
from tests.support.consuming import send
from tests.support.databases import FreshDatabase
from tests.support.mail_host import MailHost
from tests.support.notifications import NOON, award
from tests.support.registry_host import RegistryHost
from tests.support.tokens import Issuer
from tests.support.until import until

TOKENS = Issuer()


@pytest.fixture
async def mail() -> AsyncIterator[MailHost]:
    host = MailHost()
    async with host.listening():
        yield host


@pytest.fixture
async def registry() -> AsyncIterator[RegistryHost]:
    host = RegistryHost()
    async with host.listening():
        yield host


@asynccontextmanager
async def running(
    database: FreshDatabase, kafka: KafkaSettings, mail: MailHost, registry: RegistryHost
) -> AsyncIterator[ServiceProcess[NotificationsSettings]]:
    """The service in both roles; it must end with code 0."""
    settings = NotificationsSettings.model_validate(
        {
            "database_url": database.url("tessera_notifications"),
            "kafka_bootstrap_servers": kafka.bootstrap_servers,
            "topic_prefix": kafka.topic_prefix,
            "topic_partitions": kafka.partitions,
            "http_port": 0,
            "identifier_key": "0f" * 32,
            "members_url": registry.url,
            "token_url": f"{registry.url}/oauth/token",
            "client_secret": "a secret",
            "smtp_port": mail.port,
            "digest_delay_seconds": 0,
        }
    )
    process = ServiceProcess(
        service="notifications",
        role="both",
        settings=settings,
        build=build,
        key_source=lambda _: StaticKeySource(TOKENS.jwks),
    )
    stop = asyncio.Event()
    run = asyncio.create_task(process.run(stop))
    try:
        async with asyncio.timeout(30):
            await process.is_started.wait()
        yield process
    finally:
        stop.set()
        code = await run
    assert code == 0


def earned(member_id: UUID, number: int) -> PointsEarned:
    """Ten points for receipt ``number``."""
    data = AwardData(
        member_id=member_id,
        receipt_id=receipt_id_of(award(member_id, number).receipt_key),
        partner_id="grocer",
        point_type="points",
        points=10,
        by_rule=(),
        rule_set_version=1,
        occurred_at=NOON,
        balance=Balance(available=10, held=0, pending=0, debt=0),
    )
    return PointsEarned(id=new_id(), source="accrual", subject=str(member_id), time=NOON, data=data)


def enrolled(member_id: UUID) -> MemberEnrolled:
    """A member who reads Spanish."""
    data = MemberData(member_id=member_id, version=1, status="active", language="es")
    return MemberEnrolled(id=new_id(), source="members", subject=str(member_id), time=NOON, data=data)


def partner() -> PartnerChanged:
    """The grocer."""
    data = PartnerData(partner_id="grocer", version=1, name="Corner Grocer", state="active")
    return PartnerChanged(id=new_id(), source="coalition", subject="grocer", time=NOON, data=data)


def record(topic: str, event: Event) -> OutgoingRecord:
    """The event as it stands on its topic."""
    kind = str(event.model_dump()["type"])
    headers = (("type", kind.encode()), ("id", str(event.id).encode()))
    return OutgoingRecord(topic, event.subject.encode(), event.to_bytes(), headers)


async def test_facts_become_mail_once_however_often_they_come(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings, mail: MailHost, registry: RegistryHost
) -> None:
    members = [new_id() for _ in range(3)]
    for number, member_id in enumerate(members):
        registry.know(member_id, f"member{number}@example.com", language="es")
    points = [record(POINTS.topic, earned(member_id, number)) for number, member_id in enumerate(members)]
    malformed = earned(members[0], 99)
    malformed = malformed.model_copy(update={"data": malformed.data.model_copy(update={"receipt_id": "no key!"})})
    facts = [record(COALITION.topic, partner()), *(record(MEMBERS.topic, enrolled(member)) for member in members)]

    async with running(fresh_database, kafka_settings, mail, registry) as process:
        await send(kafka_settings, facts)
        await send(kafka_settings, [record(POINTS.topic, malformed), *points])
        await until(lambda: len(mail.mails) >= 3)
        await send(kafka_settings, points)
        await send(kafka_settings, [record(POINTS.topic, earned(members[2], 3))])  # what comes after the replay
        await until(lambda: len(mail.mails) >= 4)
        address = f"http://127.0.0.1:{process.port}/v1/members/{members[0]}/messages"
        headers = {"Authorization": f"Bearer {TOKENS.token('messages:read')}"}

        async def told() -> bool:
            async with httpx2.AsyncClient() as client:
                answer = await client.get(address, headers=headers)
            return [item["state"] for item in answer.json()["items"]] == ["sent"]

        await until(told)

    assert sorted(mail.recipients) == [
        "member0@example.com", "member1@example.com", "member2@example.com", "member2@example.com",
    ]  # fmt: skip
    assert {message["Subject"] for message in mail.parsed()} == {"Ha ganado 10 puntos"}
    assert await dead_letter_topics(fresh_database) == ["loyalty.points"]


async def dead_letter_topics(database: FreshDatabase) -> list[str]:
    """Where dead letters came from. Everything in the outbox must have gone out before."""
    connection = await asyncpg.connect(database.url("tessera_notifications"))
    try:
        assert await connection.fetchval("select count(*) from outbox where topic = $1", NOTIFICATIONS.topic) == 0
        return [row["topic"] for row in await connection.fetch("select topic from dead_letters")]
    finally:
        await connection.close()
