"""Joining over HTTP: conditions that the programme declares, a card before its person, friends who bring friends."""

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import ConsentChanged, MemberChanged, MemberData, MemberEnrolled
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

Client = httpx2.AsyncClient
ADA: dict[str, object] = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "email": "ada@example.com",
    "birth_date": "1990-12-10",
    "language": "en",
    "region": "GB-LND",
}
CARD = {"type": "card", "value": "00421234"}


async def post(client: Client, path: str, body: dict[str, object] | None = None, **said: str) -> httpx2.Response:
    return await client.post(path, json=body, headers=bearing(**said))


async def declare(client: Client, **conditions: object) -> httpx2.Response:
    return await client.post("/v1/joining-conditions", json=conditions, headers=bearing("declarations:write"))


async def enrolled(client: Client, **more: object) -> str:
    answer = await post(client, "/v1/members", ADA | more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member_id"])


def slug(answer: httpx2.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_conditions_count_from_their_declaration_and_the_newest_counts(client: Client) -> None:
    first = await client.get("/v1/joining-conditions", headers=bearing("members:read"))
    assert (first.json()["version"], first.json()["conditions"]["minimum_age"]) == (0, None)
    assert (await declare(client, minimum_age=18)).json()["version"] == 1
    assert (await declare(client, minimum_age=16)).json()["version"] == 2
    now = await client.get("/v1/joining-conditions", headers=bearing("members:read"))
    assert (now.json()["version"], now.json()["conditions"]["minimum_age"]) == (2, 16)


async def test_who_does_not_meet_them_is_told_which_and_nothing_is_written(client: Client, database: Database) -> None:
    await declare(client, minimum_age=18, countries=["GB"], terms_accepted=True)
    tried = {
        "too young": ADA | {"birth_date": "2020-01-01"},
        "/region": ADA | {"region": "FR"},
        "/accepts_terms": ADA,
    }
    answers = {name: await post(client, "/v1/members", body) for name, body in tried.items()}
    assert {(answer.status_code, slug(answer)) for answer in answers.values()} == {(422, "joining-refused")}
    assert "18" in answers["too young"].json()["detail"]
    assert all(name in answers[name].json()["detail"] for name in ("/region", "/accepts_terms"))
    async with database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from members") == 0


async def test_what_is_accepted_and_allowed_on_joining_is_kept_with_it(client: Client, database: Database) -> None:
    declarer = bearing("declarations:write")
    draft = {
        "terms_version": "1",
        "language": "en",
        "title": "Terms",
        "paragraphs": ["Be kind."],
        "effective_from": "2026-01-01T00:00:00Z",
    }
    await client.post("/v1/terms", json=draft, headers=declarer)
    published = await client.post("/v1/terms/en/1/publish", json={}, headers=bearing("declarations:write"))
    assert published.status_code == 200, published.text
    text = {"purpose": "marketing", "channel": "post", "text_version": "1"}
    wordings = {"wordings": [{"language": "en", "wording": "May we write?"}]}
    await client.post("/v1/consent-texts", json=text | wordings, headers=bearing("declarations:write"))
    await declare(client, terms_accepted=True, consents=[{"purpose": "marketing", "channel": "post"}])

    accepts = {"terms_version": "1", "language": "en", "source": "web"}
    allows = text | {"language": "en", "is_granted": True, "source": "web"}
    member_id = await enrolled(client, accepts_terms=accepts, consents=[allows])

    terms = await client.get(f"/v1/members/{member_id}/terms-acceptances", headers=bearing("members:read"))
    assert terms.json()["accepted"][0]["terms_version"] == "1"
    kinds = [type(row.event) for row in await recorded_events(database, MEMBERS)]
    assert kinds == [MemberEnrolled, ConsentChanged]
    mail = allows | {"channel": "email"}
    refused = await post(client, "/v1/members", ADA | {"email": "b@example.com", "consents": [mail]})
    assert refused.status_code == 422


async def test_a_card_joins_first_and_its_person_is_told_later(client: Client, database: Database) -> None:
    body: dict[str, object] = {"language": "en", "region": "GB-LND", "identifiers": [CARD]}
    joined = await post(client, "/v1/members:card-first", body)
    assert joined.status_code == 201, joined.text
    member_id = joined.json()["member_id"]
    unknown = await client.get(f"/v1/members/{member_id}", headers=bearing("members:read"))
    assert (unknown.status_code, unknown.json()["given_name"]) == (200, None)
    contact = await client.get(f"/v1/members/{member_id}/contact", headers=bearing("members:contact"))
    assert contact.status_code == 404

    person = {name: ADA[name] for name in ("given_name", "family_name", "email", "birth_date")}
    path = f"/v1/members/{member_id}/person"
    told = await client.put(path, json=person, headers=bearing())
    assert (told.status_code, told.json()["version"]) == (200, 2)
    again = await client.put(path, json=person, headers=bearing())
    assert again.json() == told.json()
    another = await client.put(path, json=person | {"given_name": "Augusta"}, headers=bearing())
    assert (another.status_code, slug(another)) == (409, "person-known")
    known = await client.get(f"/v1/members/{member_id}", headers=bearing("members:read"))
    assert known.json()["given_name"] == "Ada"
    last = (await recorded_events(database, MEMBERS))[-1].event
    assert isinstance(last, MemberChanged)
    assert (last.data.version, last.data.birth_month, last.data.birth_day) == (2, 12, 10)


async def test_conditions_hold_for_a_person_who_is_told_later(client: Client) -> None:
    joined = await post(client, "/v1/members:card-first", {"language": "en", "identifiers": [CARD]})
    await declare(client, minimum_age=99)
    person = {name: ADA[name] for name in ("given_name", "family_name", "email", "birth_date")}
    refused = await client.put(f"/v1/members/{joined.json()['member_id']}/person", json=person, headers=bearing())
    assert (refused.status_code, slug(refused)) == (422, "joining-refused")


async def test_a_person_told_later_cannot_have_anothers_address(client: Client) -> None:
    await enrolled(client)
    joined = await post(client, "/v1/members:card-first", {"language": "en", "identifiers": [CARD]})
    person = {name: ADA[name] for name in ("given_name", "family_name", "email")}
    refused = await client.put(f"/v1/members/{joined.json()['member_id']}/person", json=person, headers=bearing())
    assert (refused.status_code, slug(refused)) == (409, "already-enrolled")


async def test_a_member_brings_a_friend_by_a_code(client: Client, database: Database) -> None:
    referrer = await enrolled(client)
    codes = [(await post(client, f"/v1/members/{referrer}/referral-code")).json()["referral_code"] for _ in range(2)]
    assert codes[0] == codes[1]
    friend = await enrolled(client, email="friend@example.com", referral_code=codes[0].lower())
    data = (await recorded_events(database, MEMBERS))[-1].event.data
    assert isinstance(data, MemberData)
    assert (str(data.member_id), str(data.referred_by)) == (friend, referrer)


@pytest.mark.parametrize("code", ["ABCDEFGHJ2", "nothing", "2222222222"])
async def test_a_code_that_is_mistyped_or_nobodys_enrols_nobody(client: Client, code: str) -> None:
    refused = await post(client, "/v1/members", ADA | {"referral_code": code})
    assert (refused.status_code, slug(refused)) == (422, "referral-code")


async def test_who_has_left_brings_nobody_any_more(client: Client) -> None:
    referrer = await enrolled(client)
    code = (await post(client, f"/v1/members/{referrer}/referral-code")).json()["referral_code"]
    closed = await client.post(
        f"/v1/members/{referrer}/close", json={"reason_code": "member_request"}, headers=bearing("members:status")
    )
    assert closed.status_code == 200, closed.text
    refused = await post(client, "/v1/members", ADA | {"email": "b@example.com", "referral_code": code})
    assert refused.status_code == 422


async def test_files_are_judged_by_the_same_conditions(client: Client) -> None:
    await declare(client, minimum_age=18)
    declared = await client.post("/v1/member-imports", json={"language": "en"}, headers=bearing())
    content = "given_name,family_name,email,birth_date\nA,B,a@example.com,2020-01-01\nC,D,c@example.com,1980-01-01\n"
    answer = await client.put(
        declared.json()["content_url"], content=content, headers=bearing() | {"Content-Type": "text/csv"}
    )
    assert (answer.json()["enrolled"], answer.json()["refused"]) == (1, 1)
    refused = await client.get(declared.json()["refusals_url"], headers=bearing("members:read"))
    assert refused.json()["items"] == [{"line": 2, "reason": "too_young", "column": None}]
