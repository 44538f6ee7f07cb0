"""Consents over HTTP: giving, withdrawing, confirming, and what is told of them."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import ConsentChanged, ConsentData
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

ADA = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"}
SMS = {"purpose": "marketing", "channel": "sms", "text_version": "2026-03", "language": "en", "source": "web"}
EMAIL = SMS | {"channel": "email"}
WITHDRAWAL = {"purpose": "marketing", "channel": "sms", "is_granted": False, "source": "app"}
AT_TEN = "2026-03-01T10:00:00Z"
AT_NOON = "2026-03-01T12:00:00Z"


@pytest.fixture
async def member_id(client: httpx2.AsyncClient) -> str:
    """A member of a programme that asks for marketing by text message and by e-mail."""
    for channel in ("sms", "email"):
        declared = await declare(client, channel=channel)
        assert declared.status_code == 201, declared.text
    answer = await client.post("/v1/members", json=ADA, headers=bearing())
    return str(answer.json()["member_id"])


async def declare(client: httpx2.AsyncClient, **changes: object) -> httpx2.Response:
    body = {
        "purpose": "marketing",
        "channel": "sms",
        "text_version": "2026-03",
        "wordings": [
            {"language": "en", "wording": "Yes, write to me about offers."},
            {"language": "de", "wording": "Ja, schreibt mir über Angebote."},
        ],
    }
    return await client.post("/v1/consent-texts", json=body | changes, headers=bearing())


async def say(client: httpx2.AsyncClient, member_id: str, body: dict[str, Any], **who: str) -> httpx2.Response:
    return await client.post(
        f"/v1/members/{member_id}/consents", json={"is_granted": True} | body, headers=bearing(**who)
    )


async def confirm(client: httpx2.AsyncClient, token: str, **who: str) -> httpx2.Response:
    return await client.post("/v1/consents:confirm", json={"token": token}, headers=bearing(**who))


async def present(client: httpx2.AsyncClient, member_id: str, **who: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/members/{member_id}/consents", headers=bearing(**who))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def told(database: Database) -> list[ConsentData]:
    recorded = await recorded_events(database, MEMBERS)
    return [row.event.data for row in recorded if isinstance(row.event, ConsentChanged)]


async def test_giving_and_withdrawing_are_one_route_and_both_are_told(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    given = await say(client, member_id, SMS | {"proof": "form/2026/17", "stated_at": AT_TEN})
    assert given.status_code == 201, given.text
    assert (given.json()["outcome"], given.json()["version"], given.json()["confirmation"]) == ("in_effect", 1, None)
    withdrawn = await say(client, member_id, WITHDRAWAL)
    assert (withdrawn.json()["outcome"], withdrawn.json()["version"]) == ("in_effect", 2)
    assert withdrawn.json()["text_version"] == "2026-03"  # it takes back what was given
    consents = (await present(client, member_id))["consents"]
    assert [(one["is_granted"], one["version"], one["source"]) for one in consents] == [(False, 2, "app")]
    events = await told(database)
    assert [(one.version, one.is_granted, one.partner_id) for one in events] == [(1, True, None), (2, False, None)]
    assert events[0].stated_at.isoformat() == "2026-03-01T10:00:00+00:00"
    recorded = await recorded_events(database, MEMBERS)
    assert {row.key for row in recorded} == {member_id}
    assert not any(b"form/2026/17" in row.body for row in recorded)


async def test_a_consent_may_be_refused_before_it_was_ever_given(client: httpx2.AsyncClient, member_id: str) -> None:
    refused = await say(client, member_id, WITHDRAWAL)
    assert (refused.status_code, refused.json()["outcome"], refused.json()["version"]) == (201, "in_effect", 1)


async def test_an_older_statement_that_arrives_late_is_kept_and_overrides_nothing(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    await say(client, member_id, WITHDRAWAL | {"stated_at": AT_NOON})
    late = await say(client, member_id, SMS | {"stated_at": AT_TEN})
    assert (late.status_code, late.json()["outcome"], late.json()["version"]) == (201, "outdated", 1)
    assert [one["is_granted"] for one in (await present(client, member_id))["consents"]] == [False]
    assert [one.is_granted for one in await told(database)] == [False]
    history = await client.get(f"/v1/members/{member_id}/consents/history", headers=bearing())
    assert [one["is_granted"] for one in history.json()["items"]] == [True, False]


async def test_an_email_consent_says_nothing_until_its_token_comes_back(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    given = await say(client, member_id, EMAIL)
    assert (given.json()["outcome"], given.json()["version"]) == ("pending", None)
    assert given.headers["cache-control"] == "no-store"
    assert await told(database) == []
    before = await present(client, member_id)
    assert (before["consents"], len(before["awaited"])) == ([], 1)
    confirmed = await confirm(client, given.json()["confirmation"]["token"])
    assert (confirmed.status_code, confirmed.json()["version"]) == (200, 1), confirmed.text
    after = await present(client, member_id)
    assert ([one["is_granted"] for one in after["consents"]], after["awaited"]) == ([True], [])
    assert [(one.channel, one.is_granted, one.version) for one in await told(database)] == [("email", True, 1)]
    again = await confirm(client, given.json()["confirmation"]["token"])
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "confirmation-used")
    assert (await confirm(client, "ct_" + "A" * 43)).status_code == 404


async def test_a_token_is_kept_as_a_digest_and_a_retry_gets_it_again(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    headers = bearing()
    url = f"/v1/members/{member_id}/consents"
    first = await client.post(url, json=EMAIL | {"is_granted": True}, headers=headers)
    again = await client.post(url, json=EMAIL | {"is_granted": True}, headers=headers)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    token = first.json()["confirmation"]["token"]
    async with database.transaction() as transaction:
        for table in ("consent_confirmations", "consent_statements", "idempotency", "outbox"):
            rows = await transaction.raw.fetch(f"select * from {table}")
            assert token not in str(rows)
            assert not any(token.encode() in value for row in rows for value in row if isinstance(value, bytes))
    assert (await confirm(client, token)).status_code == 200


async def test_an_expired_token_confirms_nothing(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    token = (await say(client, member_id, EMAIL)).json()["confirmation"]["token"]
    async with database.transaction() as transaction:
        await transaction.raw.execute("update consent_confirmations set expires_at = $1", transaction.now)
    late = await confirm(client, token)
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "confirmation-expired")
    assert await told(database) == []
    assert (await present(client, member_id))["awaited"] == []
    history = await client.get(f"/v1/members/{member_id}/consents/history", headers=bearing())
    assert [one["confirmation"] for one in history.json()["items"]] == ["expired"]


async def test_a_withdrawal_outdoes_the_token_that_is_still_on_its_way(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    token = (await say(client, member_id, EMAIL)).json()["confirmation"]["token"]
    await say(client, member_id, WITHDRAWAL | {"channel": "email"})
    late = await confirm(client, token)
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "consent-superseded")
    assert [one.is_granted for one in await told(database)] == [False]


async def test_giving_again_replaces_the_token_that_was_lost(client: httpx2.AsyncClient, member_id: str) -> None:
    lost = (await say(client, member_id, EMAIL)).json()["confirmation"]["token"]
    fresh = (await say(client, member_id, EMAIL)).json()["confirmation"]["token"]
    assert (await confirm(client, lost)).status_code == 409
    assert (await confirm(client, fresh)).status_code == 200
    history = await client.get(f"/v1/members/{member_id}/consents/history", headers=bearing())
    assert [one["confirmation"] for one in history.json()["items"]] == ["confirmed", "superseded"]


async def test_of_concurrent_confirmations_one_counts(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    token = (await say(client, member_id, EMAIL)).json()["confirmation"]["token"]
    answers = await asyncio.gather(*(confirm(client, token) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert [one.version for one in await told(database)] == [1]


async def test_concurrent_statements_are_told_in_the_order_of_their_versions(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    bodies = [SMS | {"is_granted": number % 2 == 0} for number in range(8)]
    await asyncio.gather(*(say(client, member_id, body) for body in bodies))
    versions = [one.version for one in await told(database)]
    assert versions == list(range(1, len(versions) + 1))
    (consent,) = (await present(client, member_id))["consents"]
    assert (consent["version"], consent["is_granted"]) == (versions[-1], (await told(database))[-1].is_granted)
    history = await client.get(f"/v1/members/{member_id}/consents/history", headers=bearing())
    assert len(history.json()["items"]) == 8


async def test_a_partners_client_speaks_for_its_own_partner_and_sees_no_other(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    acme = {"client_id": "acme-pos", "partner_id": "acme"}
    assert (await say(client, member_id, SMS | {"partner_id": "acme"}, **acme)).status_code == 201
    for body in (SMS, SMS | {"partner_id": "other"}, WITHDRAWAL | {"partner_id": "other"}):
        refused = await say(client, member_id, body, **acme)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "partner-mismatch")
    await say(client, member_id, SMS)
    token = (await say(client, member_id, EMAIL)).json()["confirmation"]["token"]
    assert (await confirm(client, token, **acme)).status_code == 404
    seen = await present(client, member_id, **acme)
    assert ([one["partner_id"] for one in seen["consents"]], seen["awaited"]) == (["acme"], [])
    history = await client.get(f"/v1/members/{member_id}/consents/history", headers=bearing(**acme))
    assert [one["partner_id"] for one in history.json()["items"]] == ["acme"]
    assert [one["partner_id"] for one in (await present(client, member_id))["consents"]] == [None, "acme"]
    assert [(one.partner_id, one.version) for one in await told(database)] == [("acme", 1), (None, 1)]


async def test_what_cannot_be_said_is_refused_and_named(client: httpx2.AsyncClient, member_id: str) -> None:
    refusals = (
        (SMS | {"text_version": "2030-01"}, 422, "consent-text-unknown"),
        (SMS | {"purpose": "research"}, 422, "consent-text-unknown"),
        ({key: value for key, value in SMS.items() if key != "text_version"}, 422, "invalid-request"),
        (SMS | {"proof": "he said so, on the phone"}, 422, "invalid-request"),
        (SMS | {"stated_at": "2126-03-01T10:00:00Z"}, 422, "stated-in-future"),
    )
    for body, status, slug in refusals:
        refused = await say(client, member_id, body)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (status, slug), refused.text
    assert (await say(client, str(uuid4()), SMS)).status_code == 404
    assert (await present(client, member_id))["consents"] == []


@pytest.mark.usefixtures("member_id")
async def test_a_text_never_changes_and_is_listed_in_its_languages(client: httpx2.AsyncClient) -> None:
    again = await declare(client, wordings=[{"language": "en", "wording": "Something else."}])
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "consent-text-exists")
    first = await client.get("/v1/consent-texts?limit=3", headers=bearing())
    rest = await client.get(f"/v1/consent-texts?cursor={first.json()['next_cursor']}", headers=bearing())
    listed = [(one["channel"], one["language"]) for page in (first, rest) for one in page.json()["items"]]
    assert listed == [("email", "de"), ("email", "en"), ("sms", "de"), ("sms", "en")]
    partner = await client.post("/v1/consent-texts", json={}, headers=bearing("consents:write"))
    assert partner.status_code == 403


async def test_history_comes_in_pages(client: httpx2.AsyncClient, member_id: str) -> None:
    for number in range(5):
        await say(client, member_id, SMS | {"is_granted": number % 2 == 0})
    url = f"/v1/members/{member_id}/consents/history"
    first = (await client.get(f"{url}?limit=3", headers=bearing())).json()
    rest = (await client.get(f"{url}?limit=3&cursor={first['next_cursor']}", headers=bearing())).json()
    assert [one["is_granted"] for one in first["items"] + rest["items"]] == [True, False, True, False, True]
    assert rest["next_cursor"] is None


async def correct(client: httpx2.AsyncClient, member_id: str, **fields: object) -> httpx2.Response:
    read = await client.get(f"/v1/members/{member_id}", headers=bearing())
    headers = bearing(client_id="desk") | {"If-Match": read.headers["ETag"]}
    answer = await client.patch(f"/v1/members/{member_id}", json=fields, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_corrected_address_takes_back_what_was_confirmed_for_the_old_one(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    await say(client, member_id, SMS)
    for partner_id in (None, "acme"):
        given = await say(client, member_id, EMAIL | {"partner_id": partner_id, "proof": "form/1"})
        assert (await confirm(client, given.json()["confirmation"]["token"])).status_code == 200

    await correct(client, member_id, email="ADA@example.com", phone="212 555 0142")  # the same mailbox
    assert {one["is_granted"] for one in (await present(client, member_id))["consents"]} == {True}
    await correct(client, member_id, email="king@example.com")

    held = (await present(client, member_id))["consents"]
    assert {(one["channel"], one["partner_id"]): (one["is_granted"], one["version"]) for one in held} == {
        ("email", None): (False, 2),
        ("email", "acme"): (False, 2),
        ("sms", None): (True, 1),  # no address was ever confirmed for it
    }
    withdrawn = [(one.channel, one.partner_id, one.version) for one in await told(database) if not one.is_granted]
    assert withdrawn == [("email", None, 2), ("email", "acme", 2)]
    history = (await client.get(f"/v1/members/{member_id}/consents/history", headers=bearing())).json()["items"]
    assert [(one["is_granted"], one["source"], one["proof"]) for one in history[:2]] == [
        (False, "address-corrected", None)
    ] * 2
    again = await say(client, member_id, EMAIL)
    assert again.json()["outcome"] == "pending"
    assert (await confirm(client, again.json()["confirmation"]["token"])).json()["version"] == 3


async def test_a_letter_to_the_old_address_confirms_nothing_for_the_new_one(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    token = (await say(client, member_id, EMAIL)).json()["confirmation"]["token"]

    await correct(client, member_id, email="king@example.com")

    late = await confirm(client, token)
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "consent-superseded")
    assert await told(database) == []
    assert await present(client, member_id) == {"member_id": member_id, "consents": [], "awaited": []}


async def test_what_was_confirmed_before_an_address_was_known_does_not_count_for_it(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    body = {"language": "en", "identifiers": [{"type": "card", "value": "00421234"}]}
    card_first = (await client.post("/v1/members:card-first", json=body, headers=bearing())).json()["member_id"]
    token = (await say(client, card_first, EMAIL)).json()["confirmation"]["token"]
    assert (await confirm(client, token)).status_code == 200

    person = {name: value for name, value in ADA.items() if name != "language"} | {"email": "ben@example.com"}
    told_later = await client.put(f"/v1/members/{card_first}/person", json=person, headers=bearing())

    assert told_later.status_code == 200, told_later.text
    assert [one["is_granted"] for one in (await present(client, card_first))["consents"]] == [False]
    assert [(one.version, one.is_granted) for one in await told(database)] == [(1, True), (2, False)]
    assert member_id != card_first


ROUTES: tuple[tuple[str, str, str], ...] = (
    ("POST", f"/v1/members/{uuid4()}/consents", "consents:write"),
    ("POST", "/v1/consents:confirm", "consents:write"),
    ("GET", f"/v1/members/{uuid4()}/consents", "consents:read"),
    ("GET", f"/v1/members/{uuid4()}/consents/history", "consents:read"),
    ("POST", "/v1/consent-texts", "declarations:write"),
    ("GET", "/v1/consent-texts", "consents:read"),
)


async def test_every_route_needs_a_token_with_its_scope(client: httpx2.AsyncClient) -> None:
    for method, path, scope in ROUTES:
        key = {"Idempotency-Key": uuid4().hex}
        body: dict[str, object] | None = {} if method == "POST" else None
        assert (await client.request(method, path, json=body, headers=key)).status_code == 401
        refused = await client.request(method, path, json=body, headers=bearing("receipts:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
