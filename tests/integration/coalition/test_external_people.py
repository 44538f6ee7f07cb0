"""People of an OIDC issuer at coalition's routes: four eyes, the audit log, a partner's own people, a revocation."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.database import Database
from tests.support.contracts import contract_body, partner_is_there, slug
from tests.support.oidc_issuer import OidcIssuer, running_issuer
from tests.support.registries import bearing, coalition_client, coalition_settings

BEGINS = datetime(2100, 1, 1, tzinfo=UTC)
BOTH = ["loyalty-managers", "loyalty-approvers"]


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[OidcIssuer]:
    """The company's own."""
    async with running_issuer() as running:
        yield running


@pytest.fixture
async def client(database: Database, issuer: OidcIssuer) -> AsyncIterator[httpx2.AsyncClient]:
    """Coalition, which was told of it."""
    async with coalition_client(database, coalition_settings(external_issuers=[issuer.told()])) as opened:
        yield opened


def with_token(issuer: OidcIssuer, sub: str, groups: list[str], **claims: Any) -> dict[str, str]:
    """Headers of a person of the issuer."""
    token = issuer.token(sub=sub, groups=groups, **claims)
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}


async def test_who_drafted_with_an_external_token_does_not_approve_and_another_does(
    client: httpx2.AsyncClient, issuer: OidcIssuer
) -> None:
    await partner_is_there(client, "grocer")
    body = contract_body("grocer", BEGINS)
    drafted = await client.post("/v1/contracts", json=body, headers=with_token(issuer, "p7", BOTH))
    assert drafted.status_code == 201, drafted.text
    path = f"/v1/contracts/{drafted.json()['contract_id']}"
    assert (await client.post(f"{path}/submit", headers=with_token(issuer, "p7", BOTH))).status_code == 200

    # The same person once more, by another token and key of the issuer.
    again = with_token(issuer, "p7", ["loyalty-approvers"], alg="ES256", kid="ec")
    assert slug(await client.post(f"{path}/approve", headers=again)) == (403, "own-draft")
    only_drafts = with_token(issuer, "p8", ["loyalty-managers"])
    assert slug(await client.post(f"{path}/approve", headers=only_drafts)) == (403, "missing-scope")

    approved = await client.post(f"{path}/approve", headers=with_token(issuer, "p8", ["loyalty-approvers"]))
    assert approved.status_code == 200, approved.text
    assert (approved.json()["authors"], approved.json()["approved_by"]) == (["person:corp:p7"], "person:corp:p8")
    log = await client.get("/v1/audit-log", params={"author": "person:corp:p8"}, headers=bearing("audit:read"))
    assert [act["action"] for act in log.json()["items"]] == ["contract.approved"]


async def test_an_own_person_of_the_same_subject_is_somebody_else(
    client: httpx2.AsyncClient, issuer: OidcIssuer
) -> None:
    await partner_is_there(client, "grocer")
    body = contract_body("grocer", BEGINS)
    drafted = await client.post("/v1/contracts", json=body, headers=with_token(issuer, "p7", BOTH))
    path = f"/v1/contracts/{drafted.json()['contract_id']}"
    await client.post(f"{path}/submit", headers=with_token(issuer, "p7", BOTH))
    approved = await client.post(f"{path}/approve", headers=bearing(client_id="person:p7"))
    assert approved.json()["approved_by"] == "person:p7"


async def test_neither_our_people_nor_our_clients_can_be_called_like_an_external_person(
    client: httpx2.AsyncClient,
) -> None:
    person = {"subject": "corp:p7", "roles": ["approver"]}
    assert (await client.post("/v1/people", json=person, headers=bearing())).status_code == 422
    for client_id in ("person:corp:p7", "person:corp"):
        named = {"client_id": client_id, "scopes": ["contracts:approve"]}
        assert (await client.post("/v1/api-clients", json=named, headers=bearing())).status_code == 422


async def test_a_partners_user_sees_the_partners_own_and_nothing_else(
    client: httpx2.AsyncClient, issuer: OidcIssuer
) -> None:
    await partner_is_there(client, "acme")
    await partner_is_there(client, "other")
    headers = with_token(issuer, "p9", ["loyalty-partners"], partner="acme")
    statuses = [
        (await client.get(path, headers=headers)).status_code
        for path in ("/v1/partners/acme", "/v1/partners/other", "/v1/audit-log", "/v1/people")
    ]
    assert statuses == [200, 404, 403, 403]


async def test_without_a_role_that_is_known_every_route_is_closed(
    client: httpx2.AsyncClient, issuer: OidcIssuer
) -> None:
    for path in ("/v1/partners", "/v1/contracts", "/v1/audit-log", "/v1/people", "/v1/api-clients"):
        answer = await client.get(path, headers=with_token(issuer, "p7", ["strangers"]))
        assert slug(answer) == (403, "missing-scope"), path


async def test_a_request_of_one_person_is_not_anothers_of_the_same_key(
    client: httpx2.AsyncClient, issuer: OidcIssuer
) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    body = {"partner_id": "acme", "name": "Acme"}
    answers = [
        await client.post("/v1/partners", json=body, headers=with_token(issuer, sub, BOTH) | key)
        for sub in ("p7", "p7", "p8")
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
