"""QR tokens: issued for the app, read by tills."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest

from shared.database import Database
from shared.qr_tokens import LIFE, QrKeys
from tests.support.qr import QR_KEYS, qr_token
from tests.support.registries import bearing, members_client, members_settings

ADA = {"given_name": "Ada", "family_name": "Byte", "email": "ada@example.com", "language": "en"}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with members_client(database, members_settings(qr_keys=QR_KEYS)) as client:
        yield client


async def joined(app: httpx2.AsyncClient) -> str:
    return str((await app.post("/v1/members", json=ADA, headers=bearing())).json()["member_id"])


async def issue(app: httpx2.AsyncClient, member_id: str, **headers: str) -> httpx2.Response:
    return await app.post(f"/v1/members/{member_id}/qr-tokens", headers=bearing() | headers)


async def resolve(app: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await app.post("/v1/identifiers:resolve", json={"type": "token", "value": token}, headers=bearing())


async def test_a_token_leads_to_its_member_for_a_minute_and_names_nobody(app: httpx2.AsyncClient) -> None:
    member_id = await joined(app)
    issued = await issue(app, member_id)
    assert issued.status_code == 201, issued.text
    token = QrKeys.parse(QR_KEYS).open(issued.json()["token"])
    assert (token.member_id, str(token.session_id)) == (UUID(member_id), issued.json()["session_id"])
    assert token.expires_at - token.issued_at == LIFE
    assert member_id not in issued.text
    assert (await resolve(app, issued.json()["token"])).json() == {"member_id": member_id}


async def test_a_retry_gets_the_same_token_and_another_request_another_session(app: httpx2.AsyncClient) -> None:
    member_id = await joined(app)
    key = {"Idempotency-Key": uuid4().hex}
    first, again = await issue(app, member_id, **key), await issue(app, member_id, **key)
    assert first.content == again.content
    assert (await issue(app, member_id)).json()["session_id"] != first.json()["session_id"]


async def test_a_token_that_is_old_or_strange_leads_to_nobody(app: httpx2.AsyncClient, database: Database) -> None:
    member_id = UUID(await joined(app))
    async with database.transaction() as transaction:
        now = transaction.now
    old = await resolve(app, qr_token(member_id, now - timedelta(seconds=62)))
    assert (old.status_code, old.json()["type"].rpartition("/")[2]) == (409, "qr-token-not-valid")
    strange = await resolve(app, qr_token(member_id, now, keys="1:" + "77" * 32))
    assert (strange.status_code, strange.json()["errors"][0]["pointer"]) == (422, "/value")
    assert (await resolve(app, qr_token(uuid4(), now))).status_code == 404


async def test_nobody_who_is_not_there_gets_a_token_and_no_partner_issues_one(app: httpx2.AsyncClient) -> None:
    member_id = await joined(app)
    assert (await issue(app, str(uuid4()))).status_code == 404
    assert (await issue(app, member_id, **bearing("members:write"))).status_code == 403


async def test_a_programme_without_keys_has_no_tokens(client: httpx2.AsyncClient) -> None:
    refused = await issue(client, await joined(client))
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "qr-token-not-valid")
