"""API clients after their registration: read, given another secret or other scopes, revoked."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.coalition import ApiClientChanged
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, coalition_client, coalition_settings

HOUR_SECONDS = 3_600


async def register(client: httpx2.AsyncClient, client_id: str = "pos", **changes: object) -> str:
    body = {"client_id": client_id, "scopes": ["receipts:read", "receipts:write"]} | changes
    answer = await client.post("/v1/api-clients", json=body, headers=bearing("clients:write"))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["client_secret"])


async def post(client: httpx2.AsyncClient, path: str, body: dict[str, Any], **caller: str) -> httpx2.Response:
    return await client.post(f"/v1/api-clients/{path}", json=body, headers=bearing("clients:write", **caller))


async def gets_token(client: httpx2.AsyncClient, secret: str) -> bool:
    form = {"grant_type": "client_credentials", "client_id": "pos", "client_secret": secret}
    return (await client.post("/oauth/token", data=form)).status_code == httpx2.codes.OK


async def published(database: Database) -> list[tuple[int, tuple[str, ...], bool]]:
    """Version, scopes and revocation, as the others are told."""
    events = [row.event for row in await recorded_events(database, COALITION)]
    return [
        (event.data.version, event.data.scopes, event.data.is_revoked)
        for event in events
        if isinstance(event, ApiClientChanged)
    ]


async def pass_time(database: Database, by: timedelta) -> None:
    """As if ``by`` had passed since the secret was replaced."""
    async with database.transaction() as transaction:
        await transaction.raw.execute(
            "update api_clients set previous_valid_until = previous_valid_until - $1::interval", by
        )


async def test_two_secrets_are_good_until_the_stated_time(client: httpx2.AsyncClient, database: Database) -> None:
    first = await register(client)
    rotated = await post(client, "pos/secrets:rotate", {"overlap_seconds": HOUR_SECONDS})
    assert rotated.status_code == 200, rotated.text
    second = rotated.json()["client_secret"]
    assert second != first
    assert await gets_token(client, first)
    assert await gets_token(client, second)
    shown = (await client.get("/v1/api-clients/pos", headers=bearing("clients:read"))).json()
    assert shown["previous_valid_until"] == rotated.json()["previous_valid_until"] is not None

    await pass_time(database, timedelta(seconds=HOUR_SECONDS))

    assert not await gets_token(client, first)
    assert await gets_token(client, second)


async def test_a_third_secret_ends_the_first_at_once(client: httpx2.AsyncClient) -> None:
    first = await register(client)
    second = (await post(client, "pos/secrets:rotate", {})).json()["client_secret"]
    third = (await post(client, "pos/secrets:rotate", {})).json()["client_secret"]
    assert [await gets_token(client, each) for each in (first, second, third)] == [False, True, True]


async def test_without_an_overlap_the_old_secret_ends_at_once(client: httpx2.AsyncClient) -> None:
    first = await register(client)
    rotated = (await post(client, "pos/secrets:rotate", {"overlap_seconds": 0})).json()
    assert rotated["previous_valid_until"] is None
    assert not await gets_token(client, first)
    assert await gets_token(client, rotated["client_secret"])


async def test_a_rotation_sent_again_is_answered_alike_and_kept_nowhere_readable(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await register(client)
    headers = bearing("clients:write")
    first, again = [await client.post("/v1/api-clients/pos/secrets:rotate", json={}, headers=headers) for _ in "ab"]
    assert (again.status_code, again.content) == (200, first.content)
    async with database.transaction() as transaction:
        for table in ("api_clients", "outbox", "idempotency", "audit_log"):
            assert first.json()["client_secret"] not in str(await transaction.raw.fetch(f"select * from {table}"))


async def test_every_change_is_published_under_a_higher_version_and_recorded(
    client: httpx2.AsyncClient, database: Database
) -> None:
    author = f"admin-{uuid4().hex}"
    await register(client)
    same = ["receipts:write", "receipts:read"]
    for path, body in (
        ("pos/scopes:replace", {"scopes": same}),  # changes nothing
        ("pos/scopes:replace", {"scopes": ["receipts:read"], "why": "only reads"}),
        ("pos/secrets:rotate", {"why": "yearly"}),
        ("pos/revoke", {"why": "the till's maker left"}),
        ("pos/revoke", {"why": "again"}),
    ):
        assert (await post(client, path, body, client_id=author)).status_code == 200
    assert await published(database) == [
        (1, ("receipts:read", "receipts:write"), False),
        (2, ("receipts:read",), False),
        (3, ("receipts:read",), False),
        (4, ("receipts:read",), True),
    ]
    log = (await client.get("/v1/audit-log", params={"author": author}, headers=bearing("audit:read"))).json()["items"]
    assert [(act["action"], act["why"]) for act in log] == [
        ("api_client.revoked", "the till's maker left"),
        ("api_client.secret_rotated", "yearly"),
        ("api_client.scopes_replaced", "only reads"),
    ]
    assert (log[0]["before"]["is_revoked"], log[0]["after"]["is_revoked"]) == (False, True)


async def test_a_revoked_client_gets_no_token_and_never_comes_back(client: httpx2.AsyncClient) -> None:
    secret = await register(client)
    assert (await post(client, "pos/revoke", {"why": "lost"})).json()["is_revoked"] is True
    assert not await gets_token(client, secret)
    for path, body in (("pos/secrets:rotate", {}), ("pos/scopes:replace", {"scopes": ["receipts:read"]})):
        refused = await post(client, path, body)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "client-revoked")


async def test_a_client_of_the_settings_is_changed_there(database: Database) -> None:
    declared = {"client_id": "admin", "secret": "a secret of the settings", "scopes": ["partners:read"]}
    async with coalition_client(database, coalition_settings([declared])) as client:
        for path, body in (("admin/secrets:rotate", {}), ("admin/scopes:replace", {"scopes": ["rules:read"]})):
            refused = await post(client, path, body)
            assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "client-of-settings")
        assert (await post(client, "admin/revoke", {"why": "stolen"})).status_code == 200
    async with coalition_client(database, coalition_settings([declared])) as client:
        shown = await client.get("/v1/api-clients/admin", headers=bearing("clients:read"))
        assert shown.json()["is_revoked"] is True


async def test_who_is_bound_to_a_partner_sees_its_clients_alone_and_changes_none(client: httpx2.AsyncClient) -> None:
    for partner_id in ("acme", "other"):
        await client.post("/v1/partners", json={"partner_id": partner_id, "name": "P"}, headers=bearing())
        await register(client, f"{partner_id}-pos", partner_id=partner_id)
    await register(client, "hq")
    bound = bearing("clients:read", client_id="x", partner_id="acme")
    listed = (await client.get("/v1/api-clients", headers=bound)).json()["items"]
    assert [each["client_id"] for each in listed] == ["acme-pos"]
    assert (await client.get("/v1/api-clients/acme-pos", headers=bound)).status_code == 200
    for hidden in ("other-pos", "hq", "nobody"):
        assert (await client.get(f"/v1/api-clients/{hidden}", headers=bound)).status_code == 404
    assert (await post(client, "acme-pos/revoke", {"why": "x"}, client_id="x", partner_id="acme")).status_code == 403
    everybody = await client.get("/v1/api-clients", params={"limit": 2}, headers=bearing("clients:read"))
    assert [each["client_id"] for each in everybody.json()["items"]] == ["acme-pos", "hq"]
    assert "hash" not in everybody.text


async def test_what_cannot_be_changed_is_refused(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/partners", json={"partner_id": "acme", "name": "P"}, headers=bearing())
    await register(client, partner_id="acme")

    async def status(path: str, body: dict[str, Any]) -> int:
        return (await post(client, path, body)).status_code

    assert await status("nobody/revoke", {"why": "x"}) == 404
    assert await status("pos/revoke", {}) == 422
    assert await status("pos/scopes:replace", {"scopes": ["clients:write"]}) == 422
    assert await status("pos/scopes:replace", {"scopes": []}) == 422
    assert await status("pos/secrets:rotate", {"overlap_seconds": 31 * 24 * HOUR_SECONDS}) == 422
    assert await status("pos/secrets:rotate", {"overlap_seconds": True}) == 422


async def test_a_client_has_a_limit_of_its_own_or_that_of_the_services(
    client: httpx2.AsyncClient, database: Database
) -> None:
    own = {"requests": 100, "window_seconds": 60}
    await register(client, rate_limit=own)

    async def shown() -> object:
        return (await client.get("/v1/api-clients/pos", headers=bearing("clients:read"))).json()["rate_limit"]

    assert await shown() == own
    replaced = await post(client, "pos/rate-limit:replace", {"rate_limit": own | {"requests": 7}, "why": "agreed"})
    assert replaced.json()["rate_limit"] == await shown() == own | {"requests": 7}
    assert (await post(client, "pos/rate-limit:replace", {"rate_limit": None})).json()["rate_limit"] is None
    assert (await post(client, "pos/rate-limit:replace", {"rate_limit": None})).json()["version"] == 3  # nothing new

    events = [row.event for row in await recorded_events(database, COALITION)]
    told = [event.data.rate_limit for event in events if isinstance(event, ApiClientChanged)]
    assert [limit and (limit.requests, limit.window_seconds) for limit in told] == [(100, 60), (7, 60), None]
    audited = await client.get("/v1/audit-log?action=api_client.rate_limit_replaced", headers=bearing("audit:read"))
    newest, before = audited.json()["items"][:2]
    assert (before["after"]["rate_limit"]["requests"], before["why"]) == (7, "agreed")
    assert newest["after"]["rate_limit"] is None


async def test_a_limit_is_positive_and_the_programmes_to_give(client: httpx2.AsyncClient) -> None:
    await register(client)
    wrong_ones: tuple[object, ...] = (
        {"requests": 0, "window_seconds": 1},
        {"requests": 1, "window_seconds": 3_601},
        {"requests": 1},
        5,
    )
    for wrong in wrong_ones:
        assert (await post(client, "pos/rate-limit:replace", {"rate_limit": wrong})).status_code == 422
    body = {"rate_limit": {"requests": 1, "window_seconds": 1}}
    assert (await post(client, "pos/rate-limit:replace", body, partner_id="acme")).status_code == 403
    assert (await post(client, "nobody/rate-limit:replace", body)).status_code == 404
    assert (await post(client, "person:ada/rate-limit:replace", body)).status_code == 404
    await post(client, "pos/revoke", {"why": "stolen"})
    assert (await post(client, "pos/rate-limit:replace", body)).status_code == 409


async def test_a_limit_of_a_client_of_the_settings_outlives_a_start(database: Database) -> None:
    settings = coalition_settings(
        [{"client_id": "pos", "secret": "s" * 32, "scopes": ["receipts:read", "clients:read"]}]
    )
    body = {"rate_limit": {"requests": 9, "window_seconds": 1}}
    async with coalition_client(database, settings) as client:
        assert (await post(client, "pos/rate-limit:replace", body)).status_code == 200
    async with coalition_client(database, settings) as client:
        shown = (await client.get("/v1/api-clients/pos", headers=bearing("clients:read"))).json()
    assert (shown["rate_limit"], shown["version"]) == (body["rate_limit"], 2)
