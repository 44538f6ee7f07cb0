"""What a member was told, over HTTP."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx2
import pytest

from services.notifications.api.messages import messages_router
from services.notifications.use_cases.add_to_digests import add_to_digests
from services.notifications.use_cases.claim_due_messages import claim_due_messages
from shared.database import Database
from shared.ids import new_id
from shared.web import Authenticator, StaticKeySource, create_app, unprotected_routes
from tests.support.notifications import award
from tests.support.tokens import ISSUER, Issuer

TOKENS = Issuer()


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    return database_of("notifications")


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    authenticator = Authenticator(StaticKeySource(TOKENS.jwks), issuer=ISSUER)
    await authenticator.refresh()
    app = create_app(title="test", authenticator=authenticator, routers=(messages_router(database),))
    assert unprotected_routes(app) == []
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


def bearing(scope: str = "messages:read", **claims: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS.token(scope, **claims)}"}


async def test_messages_come_in_pages_newest_first(database: Database, client: httpx2.AsyncClient) -> None:
    ada, bo = new_id(), new_id()
    for number in range(5):
        async with database.transaction() as transaction:
            await add_to_digests(transaction, [award(ada, number), award(bo, 100 + number)], timedelta(0))
        async with database.transaction() as transaction:
            await claim_due_messages(transaction, 10, timedelta(minutes=5))

    path = f"/v1/members/{ada}/messages"
    seen, cursor = [], None
    for expected in (2, 2, 1):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(path, headers=bearing(), params=query)
        assert answer.status_code == 200
        page = answer.json()
        assert len(page["items"]) == expected
        seen += page["items"]
        cursor = page["next_cursor"]

    assert cursor is None
    ids = [item["message_id"] for item in seen]
    assert ids == sorted(set(ids), reverse=True)
    assert {item["state"] for item in seen} == {"sending"}
    assert set(seen[0]) == {
        "message_id", "template", "channel", "state", "reason", "opened_at", "due_at", "settled_at",
    }  # fmt: skip


async def test_nothing_is_known_of_a_stranger(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"/v1/members/{new_id()}/messages", headers=bearing())

    assert answer.status_code == 200
    assert answer.json() == {"items": [], "next_cursor": None}


async def test_who_may_not_ask(client: httpx2.AsyncClient) -> None:
    path = f"/v1/members/{new_id()}/messages"

    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers=bearing("balances:read"))).status_code == 403
    partner = await client.get(path, headers=bearing(partner_id="grocer"))
    assert partner.status_code == 404
    assert partner.headers["content-type"] == "application/problem+json"


async def test_bad_questions(client: httpx2.AsyncClient) -> None:
    foreign = await client.get(f"/v1/members/{new_id()}/messages?cursor=abc", headers=bearing())
    assert (foreign.status_code, foreign.json()["errors"][0]["parameter"]) == (400, "query cursor")
    nobody = await client.get("/v1/members/nobody/messages", headers=bearing())
    assert nobody.status_code == 422
    greedy = await client.get(f"/v1/members/{new_id()}/messages?limit=100000", headers=bearing())
    assert greedy.status_code == 422
