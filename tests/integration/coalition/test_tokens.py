"""Clients: registered, declared in settings, and exchanging their secrets for tokens."""

import base64
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import OKPKey

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.coalition import ApiClientChanged
from tests.support.outbox_rows import recorded_events
from tests.support.registries import ISSUER, bearing, coalition_client, coalition_settings

GRANT = {"grant_type": "client_credentials"}
SECRET = "a secret of the settings"
DECLARED: dict[str, object] = {"client_id": "admin", "secret": SECRET, "scopes": ["partners:read", "partners:write"]}


async def register(client: httpx2.AsyncClient, **changes: object) -> dict[str, Any]:
    body = {"client_id": "pos", "scopes": ["receipts:write", "receipts:read"]} | changes
    answer = await client.post("/v1/api-clients", json=body, headers=bearing("clients:write"))
    assert answer.status_code == 201, answer.text
    registered: dict[str, Any] = answer.json()
    return registered


async def ask(client: httpx2.AsyncClient, secret: str, **changes: str) -> httpx2.Response:
    return await client.post("/oauth/token", data=GRANT | {"client_id": "pos", "client_secret": secret} | changes)


async def claims_of(client: httpx2.AsyncClient, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, verified as another service would: with the published keys."""
    published = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert all("d" not in key for key in published)
    decoded = jwt.decode(token, OKPKey.import_key(published[0]), algorithms=["Ed25519"])
    assert decoded.header["kid"] == published[0]["kid"]
    return dict(decoded.header), dict(decoded.claims)


async def test_a_registered_client_gets_a_token_that_opens_a_route(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/partners", json={"partner_id": "acme", "name": "Acme"}, headers=bearing())
    registered = await register(client, partner_id="acme", scopes=["partners:read"])
    issued = await ask(client, registered["client_secret"])
    assert issued.status_code == 200, issued.text
    assert issued.headers["Cache-Control"] == "no-store"
    assert (issued.json()["token_type"], issued.json()["scope"]) == ("Bearer", "partners:read")
    header, claims = await claims_of(client, issued.json()["access_token"])
    assert header["alg"] == "Ed25519"
    assert (claims["iss"], claims["aud"], claims["sub"], claims["partner_id"]) == (ISSUER, "tessera", "pos", "acme")
    assert claims["exp"] - claims["iat"] == issued.json()["expires_in"] <= 900
    headers = {"Authorization": f"Bearer {issued.json()['access_token']}"}
    assert (await client.get("/v1/partners/acme", headers=headers)).status_code == 200
    assert (await client.get("/v1/partners/other", headers=headers)).status_code == 404


async def test_a_programmes_token_names_no_partner(client: httpx2.AsyncClient) -> None:
    secret = (await register(client))["client_secret"]
    _, claims = await claims_of(client, (await ask(client, secret)).json()["access_token"])
    assert "partner_id" not in claims


async def test_basic_credentials_are_read_form_encoded(client: httpx2.AsyncClient) -> None:
    secret = (await register(client))["client_secret"]
    basic = base64.b64encode(f"pos:{secret.replace('_', '%5F')}".encode()).decode()
    issued = await client.post("/oauth/token", data=GRANT, headers={"Authorization": f"Basic {basic}"})
    assert issued.status_code == 200, issued.text
    assert (await client.post("/oauth/token", data=GRANT, auth=("pos", secret))).status_code == 200


async def test_a_narrower_scope_is_given_and_a_wider_one_refused(client: httpx2.AsyncClient) -> None:
    secret = (await register(client))["client_secret"]
    narrow = await ask(client, secret, scope="receipts:read")
    assert narrow.json()["scope"] == "receipts:read"
    wide = await ask(client, secret, scope="receipts:read rules:write")
    assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")


REFUSALS: tuple[tuple[dict[str, str], int, str], ...] = (
    ({}, 400, "invalid_request"),
    ({"client_id": "pos", "client_secret": "x"}, 400, "invalid_request"),
    (GRANT, 401, "invalid_client"),
    (GRANT | {"client_id": "pos"}, 401, "invalid_client"),
    (GRANT | {"client_id": "pos", "client_secret": "wrong"}, 401, "invalid_client"),
    (GRANT | {"client_id": "nobody", "client_secret": "wrong"}, 401, "invalid_client"),
    (GRANT | {"client_id": "po\x00s", "client_secret": "wrong"}, 401, "invalid_client"),
    ({"grant_type": "password", "client_id": "pos", "client_secret": "x"}, 400, "unsupported_grant_type"),
)


async def test_refusals_are_rfc_6749s_own(client: httpx2.AsyncClient) -> None:
    await register(client)
    for form, status, error in REFUSALS:
        refused = await client.post(
            "/oauth/token", data=form, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert (refused.status_code, refused.json()["error"]) == (status, error)
        assert ("WWW-Authenticate" in refused.headers) == (status == 401)


async def test_malformed_requests_are_refused(client: httpx2.AsyncClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for content, headers in (
        (b'{"grant_type":"client_credentials"}', {"Content-Type": "application/json"}),
        (b"grant_type=client_credentials&grant_type=client_credentials", form),
        (b"grant_type=%FF", form),
        (b"grant_type=client_credentials&x=" + b"x" * 9000, form),
        (b"grant_type=client_credentials&client_secret=x", form | {"Authorization": "Basic cG9zOng="}),
        (b"grant_type=client_credentials&client_id=other", form | {"Authorization": "Basic cG9zOng="}),
    ):
        refused = await client.post("/oauth/token", content=content, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    for authorization in ("Basic ???", "Basic cG9z", "Bearer x", "Basic " + base64.b64encode(b"\xff:\xff").decode()):
        refused = await client.post("/oauth/token", data=GRANT, headers={"Authorization": authorization})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


async def test_a_revoked_client_gets_no_token(client: httpx2.AsyncClient, database: Database) -> None:
    secret = (await register(client))["client_secret"]
    async with database.transaction() as transaction:
        await transaction.raw.execute("update api_clients set is_revoked = true")
    assert (await ask(client, secret)).status_code == 401


async def test_a_client_is_published_and_its_secret_kept_nowhere(
    client: httpx2.AsyncClient, database: Database
) -> None:
    headers = bearing()
    body = {"client_id": "pos", "scopes": ["receipts:write"]}
    first = await client.post("/v1/api-clients", json=body, headers=headers)
    again = await client.post("/v1/api-clients", json=body, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    (recorded,) = await recorded_events(database, COALITION)
    assert isinstance(recorded.event, ApiClientChanged)
    assert (recorded.key, recorded.event.data.version, recorded.event.data.scopes) == ("pos", 1, ("receipts:write",))
    async with database.transaction() as transaction:
        for table in ("api_clients", "outbox", "idempotency"):
            assert first.json()["client_secret"] not in str(await transaction.raw.fetch(f"select * from {table}"))


async def test_clients_that_may_not_be_are_refused(client: httpx2.AsyncClient) -> None:
    async def refusal(**changes: object) -> tuple[int, str]:
        body = {"client_id": "x", "scopes": ["receipts:write"]} | changes
        answer = await client.post("/v1/api-clients", json=body, headers=bearing())
        return answer.status_code, answer.json()["type"].rpartition("/")[2]

    await client.post("/v1/partners", json={"partner_id": "acme", "name": "Acme"}, headers=bearing())
    await register(client)
    assert await refusal(client_id="pos") == (409, "client-exists")
    assert await refusal(partner_id="nobody") == (404, "not-found")
    assert await refusal(partner_id="acme", scopes=["clients:write"]) == (422, "scope-not-for-partners")
    assert await refusal(scopes=["everything"]) == (422, "invalid-request")
    assert await refusal(scopes=[]) == (422, "invalid-request")
    bound = bearing("clients:write", client_id="hq", partner_id="acme")
    body = {"client_id": "x", "scopes": ["receipts:write"]}
    assert (await client.post("/v1/api-clients", json=body, headers=bound)).status_code == 403


async def test_an_answer_sealed_under_another_signing_key_is_refused_and_names_the_way_out(
    client: httpx2.AsyncClient, database: Database
) -> None:
    headers = bearing()
    body = {"client_id": "pos", "scopes": ["receipts:write"]}
    await client.post("/v1/api-clients", json=body, headers=headers)
    async with database.transaction() as transaction:
        stored = await transaction.raw.fetchval("select body from idempotency")
        sealed = stored.replace(b'"client_secret":"', b'"client_secret":"AAAA')
        await transaction.raw.execute("update idempotency set body = $1", sealed)
    refused = await client.post("/v1/api-clients", json=body, headers=headers)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "secret-not-available")


async def test_declared_clients_are_settled_once_and_follow_the_settings(database: Database) -> None:
    async def start(declared: dict[str, object]) -> list[int]:
        async with coalition_client(database, coalition_settings([declared])) as client:
            secret = str(declared["secret"])
            issued = await ask(client, secret, client_id="admin")
            assert issued.status_code == 200, issued.text
            assert issued.json()["scope"].split() == declared["scopes"]
        return [row.event.data.version for row in await recorded_events(database, COALITION)]

    assert await start(DECLARED) == [1]
    assert await start(DECLARED) == [1]
    assert await start(DECLARED | {"scopes": ["partners:read"]}) == [1, 2]
    assert await start(DECLARED | {"scopes": ["partners:read"], "secret": "another secret of it"}) == [1, 2, 3]
    async with coalition_client(database, coalition_settings()) as client:
        assert (await ask(client, SECRET, client_id="admin")).status_code == 401
        assert (await ask(client, "another secret of it", client_id="admin")).status_code == 200
