"""A block in the registry stops spending in redemption, on the real broker."""

from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import httpx2

from services.members.app import build
from services.members.settings import MembersSettings
from shared import ledger
from shared.database import Database
from shared.database.roles import role_name
from shared.kafka import KafkaSettings
from tests.support.databases import FreshDatabase
from tests.support.redemption import earn
from tests.support.redemption_service import redemption_service
from tests.support.registries import IDENTIFIER_KEY, MASTER_KEYS, bearing
from tests.support.running import running
from tests.support.until import until

BLOCK_SECONDS_MAX = 2.0
CARD = {"type": "card", "value": "9001 2345 6789"}
ADA = {"given_name": "Ada", "family_name": "Byte", "email": "ada@example.com", "language": "en", "identifiers": [CARD]}


async def test_a_block_stops_spending_within_two_seconds_and_an_unblocking_allows_it_again(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings
) -> None:
    async with AsyncExitStack() as services:
        members = await services.enter_async_context(
            running(
                "members",
                MembersSettings,
                build,
                fresh_database,
                "both",
                kafka_settings,
                master_keys=MASTER_KEYS,
                client_secret="s" * 32,
            )
        )
        redemption = await services.enter_async_context(
            redemption_service(fresh_database, "both", kafka_settings, identifier_key=IDENTIFIER_KEY)
        )
        enrolled = await members.post("/v1/members", json=ADA, headers=bearing())
        await _give_points(fresh_database, UUID(enrolled.json()["member_id"]))
        await until(lambda: _is_held(redemption))

        blocked = await _say(members, "block")
        assert blocked.status_code == 200, blocked.text
        refused = await until(lambda: _refusal(redemption), seconds_max=BLOCK_SECONDS_MAX)
        assert refused == "identifier-blocked"

        assert (await _say(members, "unblock")).status_code == 200
        await until(lambda: _is_held(redemption))


async def _give_points(database: FreshDatabase, member_id: UUID) -> None:
    as_redemption = Database(database.url(role_name("redemption")))
    async with as_redemption.transaction() as transaction:
        await ledger.post(transaction, [earn(member_id, 1_000)])
    await as_redemption.close()


async def _say(members: httpx2.AsyncClient, action: str) -> httpx2.Response:
    body = {"identifier": CARD, "reason_code": "stolen"}
    return await members.post(f"/v1/identifiers:{action}", json=body, headers=bearing())


async def _hold(redemption: httpx2.AsyncClient) -> httpx2.Response:
    body = {"identifier": CARD, "points": 1, "partner_id": "grocer", "redemption_id": str(uuid4())}
    return await redemption.post("/v1/redemptions", json=body, headers=bearing())


async def _is_held(redemption: httpx2.AsyncClient) -> bool:
    return bool((await _hold(redemption)).status_code == httpx2.codes.CREATED)


async def _refusal(redemption: httpx2.AsyncClient) -> str:
    """By what name a hold is refused; empty while it is not."""
    answer = await _hold(redemption)
    return "" if answer.is_success else str(answer.json()["type"].rpartition("/")[2])
