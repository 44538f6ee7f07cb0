"""Data quality over HTTP: a score a member, a report, a queue; and that SQL and the domain judge alike."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.members.domain.data_quality import FIELDS, FieldFacts, QualityRules, judge_quality
from services.members.repository import data_quality
from shared.database import Database
from tests.support.registries import bearing

ADA = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "email": "ada@example.com",
    "phone": "(212) 555-0142",
    "language": "en",
}
PARTNER = {"client_id": "acme-pos", "partner_id": "acme"}


async def enrolled(client: httpx2.AsyncClient, **changes: object) -> str:
    answer = await client.post("/v1/members", json=ADA | changes, headers=bearing())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member_id"])


async def quality(client: httpx2.AsyncClient, member_id: str) -> tuple[int, list[tuple[str, str]]]:
    answer = await client.get(f"/v1/members/{member_id}/data-quality", headers=bearing())
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["score_percent"], [(one["field"], one["repair"]) for one in told["repairs"]]


async def check(client: httpx2.AsyncClient, member_id: str, field: str, outcome: str, **more: object) -> Any:
    body = {"field": field, "outcome": outcome, "source": "mailer"} | more
    return await client.post(f"/v1/members/{member_id}/field-checks", json=body, headers=bearing())


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]


async def test_a_member_is_known_as_well_as_the_person_told_and_somebody_checked(client: httpx2.AsyncClient) -> None:
    member_id = await enrolled(client)
    empty = [("birth_date", "fill"), ("address", "fill")]
    assert await quality(client, member_id) == (48, [("email", "verify"), ("phone", "verify"), *empty])
    assert (await check(client, member_id, "phone", "verified")).json()["holds"] is True
    assert (await check(client, member_id, "email", "invalid")).status_code == 201
    assert await quality(client, member_id) == (48, [("email", "correct"), ("email", "verify"), *empty])
    late = await check(client, member_id, "email", "verified", checked_at="2026-01-01T00:00:00Z")
    assert (late.status_code, late.json()["holds"]) == (201, False)
    assert slug(await check(client, member_id, "address", "invalid")) == (409, "field-not-filled")
    assert slug(await check(client, member_id, "shoes", "invalid")) == (422, "invalid-request")
    assert slug(await check(client, str(uuid4()), "email", "invalid")) == (404, "not-found")


async def test_a_corrected_value_starts_anew(client: httpx2.AsyncClient) -> None:
    member_id = await enrolled(client)
    await check(client, member_id, "email", "invalid")
    await check(client, member_id, "phone", "verified")
    version = (await client.get(f"/v1/members/{member_id}", headers=bearing())).headers["ETag"]
    corrected = await client.patch(
        f"/v1/members/{member_id}",
        json={"email": "countess@example.com", "birth_date": "1985-12-10"},
        headers=bearing() | {"If-Match": version},
    )
    assert corrected.status_code == 200, corrected.text
    score, repairs = await quality(client, member_id)
    assert repairs == [("email", "verify"), ("birth_date", "verify"), ("address", "fill")]
    assert score == 24 + 30 + 16


async def test_what_a_survivor_has_from_the_other_one_is_filled_and_answers_for_the_old_id(
    client: httpx2.AsyncClient,
) -> None:
    survivor = await enrolled(client, email="one@example.com", phone=None)
    merged = await enrolled(client, email="two@example.com", birth_date="1985-12-10")
    body = {"merged_member_id": merged, "reason_code": "duplicate"}
    answer = await client.post(f"/v1/members/{survivor}/merge", json=body, headers=bearing())
    assert answer.status_code == 200, answer.text
    _, repairs = await quality(client, survivor)
    assert [field for field, repair in repairs if repair == "fill"] == ["address"]
    assert await quality(client, merged) == await quality(client, survivor)


async def test_who_confirms_a_consent_by_mail_has_a_verified_address(client: httpx2.AsyncClient) -> None:
    text = {"purpose": "marketing", "channel": "email", "text_version": "1"}
    wordings = [{"language": "en", "wording": "Write to me."}]
    await client.post("/v1/consent-texts", json=text | {"wordings": wordings}, headers=bearing())
    member_id = await enrolled(client)
    said = text | {"language": "en", "source": "web", "is_granted": True}
    given = await client.post(f"/v1/members/{member_id}/consents", json=said, headers=bearing())
    assert ("email", "verify") in (await quality(client, member_id))[1]
    token = given.json()["confirmation"]["token"]
    assert (await client.post("/v1/consents:confirm", json={"token": token}, headers=bearing())).status_code == 200
    assert ("email", "verify") not in (await quality(client, member_id))[1]


async def test_rules_are_declared_and_count_at_once(client: httpx2.AsyncClient) -> None:
    member_id = await enrolled(client)
    rules = {
        "fields": {"email": 1, "phone": 0, "birth_date": 0, "address": 0},
        "aspects": {"filled": 3, "verified": 1, "fresh": 0, "valid": 0},
        "fresh_days": 30,
    }
    before = await client.get("/v1/data-quality/rules", headers=bearing())
    assert before.json()["fields"] == {"email": 30, "phone": 30, "birth_date": 20, "address": 20}
    declared = await client.put("/v1/data-quality/rules", json=rules, headers=bearing())
    assert (declared.status_code, declared.json()) == (200, rules), declared.text
    assert (await client.get("/v1/data-quality/rules", headers=bearing())).json() == rules
    assert await quality(client, member_id) == (75, [("email", "verify")])
    nothing = rules | {"fields": dict.fromkeys(FIELDS, 0)}
    refused = await client.put("/v1/data-quality/rules", json=nothing, headers=bearing())
    assert refused.json()["errors"][0]["pointer"] == "/fields"


async def test_the_report_counts_and_the_queue_begins_with_the_worst(
    client: httpx2.AsyncClient, database: Database
) -> None:
    poor = await enrolled(client, email="poor@example.com", phone=None)
    fair = await enrolled(client, email="fair@example.com")
    closed = await enrolled(client, email="closed@example.com")
    async with database.transaction() as transaction:
        await transaction.raw.execute("update members set status = 'closed' where member_id = $1", closed)
    answer = await client.get("/v1/data-quality", headers=bearing())
    report = answer.json()
    assert report["members"] == 2
    in_use = {(one["from_percent"], one["to_percent"]): one["members"] for one in report["buckets"] if one["members"]}
    assert in_use == {(20, 29): 1, (40, 49): 1}
    by_field = {one.pop("field"): one for one in report["fields"]}
    assert by_field["phone"] == {"fill": 1, "correct": 0, "verify": 1, "refresh": 0}
    assert by_field["address"] == {"fill": 2, "correct": 0, "verify": 0, "refresh": 0}
    queue = (await client.get("/v1/data-quality/queue", headers=bearing())).json()
    assert [(one["member_id"], one["score_percent"]) for one in queue["items"]] == [(poor, 24), (fair, 48)]
    assert queue["items"][0]["repairs"][:2] == [
        {"field": "email", "repair": "verify"},
        {"field": "phone", "repair": "fill"},
    ]
    assert "example.com" not in answer.text + str(queue)


async def test_sql_and_the_domain_judge_alike_and_pages_miss_nobody(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_quality, "STRETCH_MEMBERS_MAX", 6)  # so that 25 members make several stretches
    draw = random.Random(7)
    members = [await enrolled(client, email=f"member{number}@example.com") for number in range(25)]
    rules = QualityRules()
    async with database.transaction() as transaction:
        expected = {}
        for member_id in members:
            facts = {field: _drawn(draw, transaction.now) for field in FIELDS}
            columns = [(f"{field}_{name}", at) for field in FIELDS for name, at in _columns(facts[field])]
            assigned = ", ".join(f"{column} = ${number}" for number, (column, _) in enumerate(columns, start=2))
            await transaction.raw.execute(
                f"update persons set {assigned} where member_id = $1", member_id, *(at for _, at in columns)
            )
            expected[member_id] = judge_quality(facts, rules, transaction.now)
        rows = await data_quality.load_report(transaction, rules)
    buckets = [min(one.score_percent // 10, 9) for one in expected.values()]
    assert {row["bucket"]: row["members"] for row in rows} == {each: buckets.count(each) for each in buckets}
    for field in FIELDS:
        for repair in ("fill", "correct", "verify", "refresh"):
            needed = sum((field, repair) in one.repairs for one in expected.values())
            assert sum(row[f"{field}_{repair}"] for row in rows) == needed
    report = (await client.get("/v1/data-quality", headers=bearing())).json()
    assert [one["members"] for one in report["buckets"]] == [buckets.count(each) for each in range(10)]
    paged: list[tuple[int, str]] = []
    url: str | None = "/v1/data-quality/queue?limit=7"
    while url is not None:
        page = (await client.get(url, headers=bearing())).json()
        paged += [(one["score_percent"], one["member_id"]) for one in page["items"]]
        url = f"/v1/data-quality/queue?limit=7&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert paged == sorted((one.score_percent, each) for each, one in expected.items() if one.score_percent < 100)


def _drawn(draw: random.Random, now: datetime) -> FieldFacts:
    stated = now - timedelta(days=draw.choice((1, 400, 900)))
    kind = draw.choice(("empty", "plain", "verified", "verified", "invalid"))
    if kind == "empty":
        return FieldFacts()
    return FieldFacts(
        stated,
        verified_at=draw.choice((stated, now)) if kind == "verified" else None,
        invalid_at=now if kind == "invalid" else None,
    )


def _columns(facts: FieldFacts) -> tuple[tuple[str, datetime | None], ...]:
    return (("at", facts.stated_at), ("verified_at", facts.verified_at), ("invalid_at", facts.invalid_at))


ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", "/v1/data-quality", "members:read"),
    ("GET", "/v1/data-quality/queue", "members:read"),
    ("GET", "/v1/data-quality/rules", "members:read"),
    ("PUT", "/v1/data-quality/rules", "declarations:write"),
    ("GET", f"/v1/members/{uuid4()}/data-quality", "members:read"),
    ("POST", f"/v1/members/{uuid4()}/field-checks", "members:write"),
)


async def test_every_route_is_the_programmes_own_and_needs_its_scope(client: httpx2.AsyncClient) -> None:
    rules = {"fields": {"email": 1}, "aspects": {"filled": 1}, "fresh_days": 1}
    for method, path, scope in ROUTES:
        body = None if method == "GET" else rules if method == "PUT" else {"field": "email", "outcome": "verified"}
        if method == "POST" and body is not None:
            body |= {"source": "mailer"}
        assert (await client.request(method, path, json=body)).status_code == 401
        refused = await client.request(method, path, json=body, headers=bearing("receipts:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
        partner = await client.request(method, path, json=body, headers=bearing(scope, **PARTNER))
        assert slug(partner) == (403, "programme-only")
    assert (await client.get(f"/v1/members/{uuid4()}/data-quality", headers=bearing())).status_code == 404
