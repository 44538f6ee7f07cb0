"""Coalition as it runs, on the real broker: points and captures come by topic, what is told of them goes by topic."""

import json
from datetime import timedelta

import asyncpg

from services.coalition.app import build
from services.coalition.settings import CoalitionSettings
from shared.database import Database
from shared.database.roles import role_name
from shared.events.catalogue import COALITION, POINTS, REDEMPTIONS
from shared.events.contracts import ExposureChanged, PrepaidExhausted
from shared.kafka import KafkaSettings, OutgoingRecord
from shared.outbox import Message
from tests.support.consuming import read_all, send
from tests.support.databases import FreshDatabase
from tests.support.exposure import Coalition, Event, captured, earned
from tests.support.registries import SIGNING_KEY
from tests.support.running import running
from tests.support.until import until

PREPAID = {"kind": "prepaid", "amount_minor": 10_000, "when_exhausted": "refuse"}


def record(event: Event, topic: str) -> OutgoingRecord:
    message = Message.of(event, topic, "member")
    return OutgoingRecord(topic, b"member", message.body, message.headers)


async def test_points_on_the_topics_use_up_a_prepaid_block_and_everybody_is_told_once(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings
) -> None:
    database = Database(fresh_database.url(role_name("coalition")))
    admin = await asyncpg.connect(fresh_database.admin_url)
    signing_key = json.dumps(SIGNING_KEY)
    async with running(
        "coalition", CoalitionSettings, build, fresh_database, "both", kafka_settings, signing_key=signing_key
    ) as client:
        coalition = Coalition(database, client, admin)
        partner = await coalition.partner(funding=PREPAID)
        assert (await coalition.top_up(partner, "first", 10_000)).status_code == 201
        now = await coalition.now() - timedelta(seconds=1)
        issued = [record(earned(partner, number, 2_500, now), POINTS.topic) for number in range(4)]
        taken = record(captured(partner, 9, {partner: 1_000}, now), REDEMPTIONS.topic)
        await send(kafka_settings, [*issued, taken, *issued, taken])

        async def is_told() -> bool:
            told = [COALITION.read(each.value) for each in await read_all(kafka_settings, COALITION.topic)]
            return any(isinstance(event, PrepaidExhausted) for event in told)

        async def is_counted() -> bool:
            shown = await coalition.exposure(partner)
            points = shown["points"][0] if shown["points"] else {}
            return points.get("issued_points") == 10_000 and points.get("redeemed_points") == 1_000

        await until(is_counted)
        await until(is_told)
        shown = await coalition.exposure(partner)
        assert (shown["standing"], shown["left_minor"], shown["receivable_minor"]) == ("exhausted", 0, 850)
    told = [COALITION.read(each.value) for each in await read_all(kafka_settings, COALITION.topic)]
    assert len([event for event in told if isinstance(event, PrepaidExhausted)]) == 1
    versions = [event.data.version for event in told if isinstance(event, ExposureChanged)]
    assert versions == sorted(set(versions))
    await admin.close()
    await database.close()
