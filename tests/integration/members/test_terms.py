"""The programme's terms over HTTP: drafted, published, announced, accepted."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from shared.database import Database
from tests.support.registries import bearing

ADA = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en-US"}
PARTNER = {"client_id": "acme-pos", "partner_id": "acme"}


def from_now(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def draft(client: httpx2.AsyncClient, version: str, days: int, **changes: object) -> httpx2.Response:
    body: dict[str, object] = {
        "terms_version": version,
        "language": "en",
        "title": "Terms of the programme",
        "paragraphs": ["Points are money.", "Be kind."],
        "effective_from": from_now(days),
    }
    return await client.post("/v1/terms", json=body | changes, headers=bearing())


async def publish(client: httpx2.AsyncClient, version: str, language: str = "en", **body: object) -> httpx2.Response:
    return await client.post(f"/v1/terms/{language}/{version}/publish", json=body, headers=bearing())


async def published(client: httpx2.AsyncClient, version: str, days: int, **changes: object) -> None:
    assert (await draft(client, version, days, **changes)).status_code == 201
    answer = await publish(client, version, str(changes.get("language", "en")))
    assert answer.status_code == 200, answer.text


async def listed(client: httpx2.AsyncClient, query: str = "language=en", **who: str) -> list[tuple[str, str]]:
    answer = await client.get(f"/v1/terms?{query}", headers=bearing(**who))
    assert answer.status_code == 200, answer.text
    return [(one["terms_version"], one["state"]) for one in answer.json()["items"]]


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]


async def enrolled(client: httpx2.AsyncClient) -> str:
    return str((await client.post("/v1/members", json=ADA, headers=bearing())).json()["member_id"])


async def test_a_draft_changes_until_it_is_published_and_never_after(client: httpx2.AsyncClient) -> None:
    await draft(client, "v1", -10)
    await draft(client, "v1", -5, paragraphs=["Points are money.", "Be very kind."])
    assert (await publish(client, "v1")).json()["state"] == "in_force"
    read = await client.get("/v1/terms/en/v1", headers=bearing(**PARTNER))
    assert read.json()["paragraphs"] == ["Points are money.", "Be very kind."]
    assert slug(await draft(client, "v1", -5, paragraphs=["Be unkind."])) == (409, "terms-published")
    assert slug(await publish(client, "v1")) == (409, "terms-published")
    again = await client.get("/v1/terms/en/v1", headers=bearing())
    assert again.json() == read.json()


async def test_a_change_is_announced_in_time_or_refused_with_the_earliest_date(client: httpx2.AsyncClient) -> None:
    await published(client, "v1", -10)
    await draft(client, "v2", 29)
    refused = await publish(client, "v2")
    assert slug(refused) == (409, "notice-too-short")
    earliest = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert earliest in refused.json()["detail"]
    assert slug(await publish(client, "v2", announced_at=from_now(-20))) == (422, "announced-too-early")
    await published(client, "v2", 31)
    assert await listed(client) == [("v2", "announced"), ("v1", "in_force")]
    await draft(client, "v3", 31)
    assert slug(await publish(client, "v3", announced_at=from_now(5))) == (409, "notice-too-short")
    await draft(client, "v0", 20)
    assert slug(await publish(client, "v0")) == (409, "terms-out-of-order")
    assert slug(await publish(client, "v9")) == (404, "terms-unknown")


async def test_what_takes_effect_soon_is_listed_in_every_language(client: httpx2.AsyncClient) -> None:
    for language in ("en", "de"):
        await published(client, "v1", -10, language=language)
    await published(client, "v2", 40, language="de")
    await published(client, "v2", 35)
    await published(client, "v3", 90)
    await draft(client, "v4", 45)
    url = "/v1/terms:upcoming?within_days=60"
    first = (await client.get(f"{url}&limit=1", headers=bearing())).json()
    rest = (await client.get(f"{url}&limit=1&cursor={first['next_cursor']}", headers=bearing())).json()
    told = [(one["language"], one["terms_version"], one["state"]) for one in first["items"] + rest["items"]]
    assert told == [("en", "v2", "announced"), ("de", "v2", "announced")]
    assert rest["next_cursor"] is None


async def test_drafts_are_the_programmes_own(client: httpx2.AsyncClient) -> None:
    await published(client, "v1", -10)
    await draft(client, "v2", 40)
    assert await listed(client) == [("v2", "draft"), ("v1", "in_force")]
    assert await listed(client, **PARTNER) == [("v1", "in_force")]
    assert (await client.get("/v1/terms/en/v2", headers=bearing(**PARTNER))).status_code == 404
    for path in ("/v1/terms", "/v1/terms/en/v2/publish"):
        body: dict[str, Any] = {"announced_at": None}
        if path == "/v1/terms":
            body = {"terms_version": "v2", "language": "en", "title": "x", "paragraphs": ["x"]}
            body["effective_from"] = from_now(50)
        refused = await client.post(path, json=body, headers=bearing(**PARTNER))
        assert slug(refused) == (403, "programme-only")


async def test_a_member_accepts_what_counts_and_is_told_what_is_still_to_be_accepted(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await published(client, "v1", -10)
    await published(client, "v1", -9, language="de")
    await published(client, "v2", 40)
    url = f"/v1/members/{await enrolled(client)}/terms-acceptances"
    before = (await client.get(url, headers=bearing())).json()
    assert (before["accepted"], [one["terms_version"] for one in before["to_accept"]]) == ([], ["v1", "v2"])
    body = {"terms_version": "v1", "language": "de", "source": "till", "proof": "form/17", "accepted_at": from_now(-1)}
    accepted = await client.post(url, json=body, headers=bearing("members:write", **PARTNER))
    assert accepted.status_code == 201, accepted.text
    after = (await client.get(url, headers=bearing())).json()
    assert after["accepted"] == [accepted.json()]
    assert [one["terms_version"] for one in after["to_accept"]] == ["v2"]
    await client.post(url, json=body, headers=bearing())
    async with database.transaction() as transaction:
        authors = await transaction.raw.fetch("select recorded_by from terms_acceptances order by recorded_at")
    assert [row["recorded_by"] for row in authors] == ["acme-pos", "programme"]


async def test_an_acceptance_that_cannot_be_is_refused_and_named(client: httpx2.AsyncClient) -> None:
    await published(client, "v1", -10)
    await draft(client, "v2", 40)
    member_id = await enrolled(client)
    good: dict[str, object] = {"terms_version": "v1", "language": "en", "source": "web"}
    refusals: tuple[tuple[str, dict[str, object], tuple[int, str]], ...] = (
        (member_id, {"terms_version": "v2"}, (422, "terms-not-published")),
        (member_id, {"language": "fr"}, (422, "terms-not-published")),
        (member_id, {"accepted_at": from_now(1)}, (422, "stated-in-future")),
        (member_id, {"proof": "she nodded"}, (422, "invalid-request")),
        (str(uuid4()), {}, (404, "not-found")),
    )
    for who, change, expected in refusals:
        refused = await client.post(f"/v1/members/{who}/terms-acceptances", json=good | change, headers=bearing())
        assert slug(refused) == expected, refused.text
    read = await client.get(f"/v1/members/{member_id}/terms-acceptances", headers=bearing())
    assert read.json()["accepted"] == []
    partner = await client.get(f"/v1/members/{member_id}/terms-acceptances", headers=bearing(**PARTNER))
    assert slug(partner) == (403, "programme-only")


async def test_of_versions_published_at_once_none_slips_before_another(client: httpx2.AsyncClient) -> None:
    await published(client, "v1", -10)
    at_once = from_now(40)
    for number in range(2, 8):
        await draft(client, f"v{number}", 40, effective_from=at_once)
    answers = await asyncio.gather(*(publish(client, f"v{number}") for number in range(2, 8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert [state for _, state in await listed(client)].count("announced") == 1


ROUTES: tuple[tuple[str, str, str], ...] = (
    ("POST", "/v1/terms", "declarations:write"),
    ("POST", "/v1/terms/en/v1/publish", "declarations:write"),
    ("GET", "/v1/terms?language=en", "members:read"),
    ("GET", "/v1/terms:upcoming", "members:read"),
    ("GET", "/v1/terms/en/v1", "members:read"),
    ("POST", f"/v1/members/{uuid4()}/terms-acceptances", "members:write"),
    ("GET", f"/v1/members/{uuid4()}/terms-acceptances", "members:read"),
)


async def test_every_route_needs_a_token_with_its_scope(client: httpx2.AsyncClient) -> None:
    for method, path, scope in ROUTES:
        key = {"Idempotency-Key": uuid4().hex}
        body: dict[str, object] | None = {} if method == "POST" else None
        assert (await client.request(method, path, json=body, headers=key)).status_code == 401
        refused = await client.request(method, path, json=body, headers=bearing("receipts:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
