"""People: registered with roles, given tokens by the same endpoint, changed, revoked."""

from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import OKPKey

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.coalition import ApiClientChanged
from shared.roles import SCOPES_OF_ROLE
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, coalition_client


async def register(client: httpx2.AsyncClient, subject: str = "p7", **changes: object) -> httpx2.Response:
    body = {"subject": subject, "roles": ["support"]} | changes
    return await client.post("/v1/people", json=body, headers=bearing("people:write"))


async def token_of(client: httpx2.AsyncClient, secret: str, subject: str = "p7") -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_id": f"person:{subject}", "client_secret": secret}
    issued = await client.post("/oauth/token", data=form)
    if issued.status_code != httpx2.codes.OK:
        return {}
    published = (await client.get("/.well-known/jwks.json")).json()["keys"]
    decoded = jwt.decode(issued.json()["access_token"], OKPKey.import_key(published[0]), algorithms=["Ed25519"])
    return dict(decoded.claims)


async def test_a_person_gets_a_token_with_subject_roles_and_their_scopes(
    client: httpx2.AsyncClient, database: Database
) -> None:
    registered = await register(client, roles=["support", "finance"])
    assert registered.status_code == 201, registered.text
    assert registered.json()["client_id"] == "person:p7"
    claims = await token_of(client, registered.json()["client_secret"])
    assert (claims["sub"], claims["roles"]) == ("person:p7", ["finance", "support"])
    assert set(claims["scope"].split()) == SCOPES_OF_ROLE["support"] | SCOPES_OF_ROLE["finance"]
    assert claims["exp"] - claims["iat"] <= 900
    (recorded,) = await recorded_events(database, COALITION)
    assert isinstance(recorded.event, ApiClientChanged)
    assert (recorded.key, set(recorded.event.data.scopes)) == ("person:p7", set(claims["scope"].split()))


async def test_a_persons_token_opens_what_the_role_opens_and_nothing_else(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/partners", json={"partner_id": "acme", "name": "Acme"}, headers=bearing())
    secret = (await register(client, roles=["partner_user"], partner_id="acme")).json()["client_secret"]
    form = {"grant_type": "client_credentials", "client_id": "person:p7", "client_secret": secret}
    issued = (await client.post("/oauth/token", data=form)).json()["access_token"]
    headers = {"Authorization": f"Bearer {issued}"}
    assert (await client.get("/v1/partners/acme", headers=headers)).status_code == 200
    assert (await client.get("/v1/partners/other", headers=headers)).status_code == 404
    assert (await client.get("/v1/people", headers=headers)).status_code == 403
    assert (await client.get("/v1/audit-log", headers=headers)).status_code == 403


async def test_roles_are_replaced_and_a_revoked_person_stays_out(client: httpx2.AsyncClient) -> None:
    secret = (await register(client)).json()["client_secret"]
    path = "/v1/people/p7"
    changed = await client.post(
        f"{path}/roles:replace", json={"roles": ["finance"], "why": "moved"}, headers=bearing("people:write")
    )
    assert (changed.json()["roles"], changed.json()["version"]) == (["finance"], 2)
    assert (await token_of(client, secret))["roles"] == ["finance"]
    rotated = await client.post(f"{path}/secrets:rotate", json={"overlap_seconds": 0}, headers=bearing("people:write"))
    assert await token_of(client, secret) == {}
    assert await token_of(client, rotated.json()["client_secret"])
    gone = await client.post(f"{path}/revoke", json={"why": "left"}, headers=bearing("people:write"))
    assert gone.json()["is_revoked"] is True
    assert await token_of(client, rotated.json()["client_secret"]) == {}
    log = await client.get("/v1/audit-log", params={"subject": "person:p7"}, headers=bearing("audit:read"))
    actions = [act["action"] for act in log.json()["items"]][:4]
    assert actions == ["person.revoked", "person.secret_rotated", "person.roles_replaced", "person.registered"]


async def test_people_and_clients_are_kept_apart(client: httpx2.AsyncClient) -> None:
    await register(client)
    body = {"client_id": "person:p8", "scopes": ["rules:read"]}
    refused = await client.post("/v1/api-clients", json=body, headers=bearing("clients:write"))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/client_id")
    assert (await client.get("/v1/api-clients", headers=bearing("clients:read"))).json()["items"] == []
    assert (await client.get("/v1/api-clients/person:p7", headers=bearing("clients:read"))).status_code == 404
    for change, change_body in (
        ("revoke", {"why": "x"}), ("scopes:replace", {"scopes": ["rules:write"]}), ("secrets:rotate", {}),
    ):  # fmt: skip
        answer = await client.post(
            f"/v1/api-clients/person:p7/{change}", json=change_body, headers=bearing("clients:write")
        )
        assert answer.status_code == 404, change
    people = (await client.get("/v1/people", headers=bearing("people:read"))).json()["items"]
    assert [person["subject"] for person in people] == ["p7"]
    assert (await client.get("/v1/people/p7", headers=bearing("people:read"))).json() == people[0]
    assert (await client.get("/v1/people/p8", headers=bearing("people:read"))).status_code == 404


async def test_people_who_may_not_be_are_refused(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/partners", json={"partner_id": "acme", "name": "Acme"}, headers=bearing())
    await register(client)

    async def refusal(subject: str = "p7", **changes: object) -> tuple[int, str]:
        answer = await register(client, subject, **changes)
        return answer.status_code, answer.json()["type"].rpartition("/")[2]

    assert await refusal() == (409, "client-exists")
    assert await refusal(subject="p8", partner_id="acme") == (422, "roles-not-for-partners")
    assert await refusal(subject="p8", roles=["partner_user"]) == (422, "roles-not-for-partners")
    assert await refusal(subject="p8", roles=["partner_user"], partner_id="nobody") == (404, "not-found")
    assert await refusal(subject="p8", roles=["emperor"]) == (422, "invalid-request")
    assert await refusal(subject="p8", roles=[]) == (422, "invalid-request")
    assert await refusal(subject="an:na") == (422, "invalid-request")
    bound = bearing("people:write", client_id="hq", partner_id="acme")
    body = {"subject": "p8", "roles": ["support"]}
    assert (await client.post("/v1/people", json=body, headers=bound)).status_code == 403


async def test_a_release_that_changes_a_role_reaches_its_people_at_the_start(database: Database) -> None:
    async with coalition_client(database) as client:
        await register(client)
        async with database.transaction() as transaction:
            await transaction.raw.execute("update api_clients set scopes = '{rules:read}'")
    seen = []
    for _ in range(2):
        async with coalition_client(database) as client:
            person = (await client.get("/v1/people/p7", headers=bearing("people:read"))).json()
            seen.append((sorted(person["scopes"]), person["version"]))
    assert seen == [(sorted(SCOPES_OF_ROLE["support"]), 2)] * 2
