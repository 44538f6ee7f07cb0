"""POST /v1/members: a person joins."""

import asyncio
from uuid import UUID

import httpx2

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierData, IdentifierLinked, MemberData, MemberEnrolled
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

ADA: dict[str, object] = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "email": "Ada.Lovelace@Example.com",
    "phone": "(212) 555-0142",
    "language": "en-US",
    "region": "US-NY",
    "identifiers": [{"type": "card", "value": "0042 1234-5678"}, {"type": "phone", "value": "+1 212 555 0142"}],
}
BEN: dict[str, object] = {"given_name": "Ben", "family_name": "Bit", "email": "ben@example.com", "language": "en"}


async def enrol(client: httpx2.AsyncClient, body: dict[str, object], **more: str) -> httpx2.Response:
    return await client.post("/v1/members", json=body, headers=bearing() | more)


async def count(database: Database, table: str) -> int:
    async with database.transaction() as transaction:
        return int(await transaction.raw.fetchval(f"select count(*) from {table}"))


async def test_an_enrolment_is_answered_without_naming_the_person(client: httpx2.AsyncClient) -> None:
    answer = await enrol(client, ADA)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"member_id", "status", "version", "enrolled_at", "identifiers"}
    assert answer.json()["version"] == 1
    assert [item["type"] for item in answer.json()["identifiers"]] != []
    assert "lovelace" not in answer.text.lower()


async def test_an_enrolled_person_is_read_back_in_normal_form(client: httpx2.AsyncClient) -> None:
    member_id = (await enrol(client, ADA)).json()["member_id"]
    read = await client.get(f"/v1/members/{member_id}", headers=bearing("members:read"))
    assert read.status_code == 200, read.text
    assert read.json()["email"] == "Ada.Lovelace@example.com"
    assert read.json()["phone"] == "+12125550142"
    assert {item["type"] for item in read.json()["identifiers"]} == {"card", "phone"}
    contact = await client.get(f"/v1/members/{member_id}/contact", headers=bearing("members:contact"))
    assert contact.json() == {
        "member_id": member_id,
        "status": "active",
        "given_name": "Ada",
        "email": "Ada.Lovelace@example.com",
        "language": "en-US",
    }


async def test_the_enrolment_is_published_then_its_identifiers_and_no_personal_value(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = (await enrol(client, ADA)).json()["member_id"]
    recorded = await recorded_events(database, MEMBERS)
    assert [type(row.event) for row in recorded] == [MemberEnrolled, IdentifierLinked, IdentifierLinked]
    assert {row.key for row in recorded} == {member_id}
    data = [row.event.data for row in recorded]
    assert {one.member_id for one in data if isinstance(one, MemberData | IdentifierData)} == {UUID(member_id)}
    assert [one.version for one in data] == [1, 1, 1]
    on_the_wire = b"".join(row.body for row in recorded).lower()
    for personal in (b"ada", b"lovelace", b"example.com", b"5550142", b"555-0142", b"12345678", b"0042 1234"):
        assert personal not in on_the_wire


async def test_no_identifier_and_no_request_is_kept_as_it_was_sent(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await enrol(client, ADA)
    async with database.transaction() as transaction:
        kept = [
            str(await transaction.raw.fetch(f"select * from {table}")).lower()
            for table in ("identifiers", "members", "idempotency", "outbox")
        ]
    for personal in ("lovelace", "example.com", "5550142", "004212345678"):
        assert not any(personal in rows for rows in kept)


async def test_a_retry_is_answered_as_the_first_and_changes_nothing(
    client: httpx2.AsyncClient, database: Database
) -> None:
    headers = bearing()
    first = await client.post("/v1/members", json=ADA, headers=headers)
    again = await client.post("/v1/members", json=ADA, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(database, "members") == 1
    assert len(await recorded_events(database, MEMBERS)) == 3


async def test_a_key_that_comes_with_another_person_is_refused(client: httpx2.AsyncClient) -> None:
    headers = bearing()
    await client.post("/v1/members", json=ADA, headers=headers)
    other = await client.post("/v1/members", json=BEN, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-key-reused")


async def test_the_same_address_in_another_letter_case_is_the_same_person(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await enrol(client, BEN)
    again = await enrol(
        client, BEN | {"email": " BEN@EXAMPLE.COM ", "identifiers": [{"type": "card", "value": "7777"}]}
    )
    assert again.status_code == 409
    assert again.json()["type"].endswith("already-enrolled")
    assert "ben" not in again.text.lower()
    assert await count(database, "members") == 1
    resolved = await client.post("/v1/identifiers:resolve", json={"type": "card", "value": "7777"}, headers=bearing())
    assert resolved.status_code == 404  # nothing of a refused enrolment stays


async def test_an_identifier_of_another_member_refuses_the_whole_enrolment(
    client: httpx2.AsyncClient, database: Database
) -> None:
    first = (await enrol(client, ADA)).json()["member_id"]
    refused = await enrol(client, BEN | {"identifiers": [{"type": "card", "value": "004212345678"}]})
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("identifier-taken")
    assert first not in refused.text
    assert "5678" not in refused.text
    assert await count(database, "persons") == 1
    assert (await enrol(client, BEN)).status_code == 201


async def test_an_identifier_named_twice_is_linked_once(client: httpx2.AsyncClient, database: Database) -> None:
    twice = [{"type": "card", "value": "ab-1234"}, {"type": "card", "value": "AB 1234"}]
    answer = await enrol(client, BEN | {"identifiers": twice})
    assert len(answer.json()["identifiers"]) == 1
    assert len(await recorded_events(database, MEMBERS)) == 2


async def test_of_many_enrolments_with_one_address_one_wins(client: httpx2.AsyncClient, database: Database) -> None:
    answers = await asyncio.gather(*(enrol(client, BEN) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert await count(database, "members") == 1
    assert len(await recorded_events(database, MEMBERS)) == 1


async def test_enrolments_that_want_the_same_cards_in_opposite_order_do_not_deadlock(
    client: httpx2.AsyncClient, database: Database
) -> None:
    cards = [{"type": "card", "value": f"{number:08}"} for number in range(6)]
    bodies = [
        BEN | {"email": f"ben{number}@example.com", "identifiers": cards if number % 2 else cards[::-1]}
        for number in range(8)
    ]
    answers = await asyncio.gather(*(enrol(client, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    async with database.transaction() as transaction:
        owners = await transaction.raw.fetch("select distinct member_id from identifiers")
    assert len(owners) == 1


INVALID: tuple[tuple[dict[str, object], str], ...] = (
    ({"email": "nobody"}, "/email"),
    ({"email": "secret-name@"}, "/email"),
    ({"phone": "12"}, "/phone"),
    ({"language": "English"}, "/language"),
    ({"region": "ny"}, "/region"),
    ({"given_name": "  "}, "/given_name"),
    ({"given_name": "A\u0000da"}, "/given_name"),
    ({"family_name": 5}, "/family_name"),
    ({"nickname": "x"}, "/nickname"),
    ({"identifiers": [{"type": "email", "value": "x@example.com"}]}, "/identifiers/0/type"),
    ({"identifiers": [{"type": "card", "value": "1234"}, {"type": "card", "value": "!"}]}, "/identifiers/1/value"),
    ({"identifiers": [{"type": "phone", "value": "1"}]}, "/identifiers/0/value"),
)


async def test_a_field_that_is_not_valid_is_named_and_not_repeated(
    client: httpx2.AsyncClient, database: Database
) -> None:
    for change, pointer in INVALID:
        refused = await enrol(client, BEN | change)
        assert refused.status_code == 422, refused.text
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["errors"][0]["pointer"] == pointer
        assert "secret-name" not in refused.text
    assert await count(database, "members") == 0


async def test_a_missing_key_or_malformed_json_is_400(client: httpx2.AsyncClient) -> None:
    headers = bearing()
    malformed = await client.post("/v1/members", content=b"{", headers=headers | {"Content-Type": "application/json"})
    assert malformed.status_code == 400
    del headers["Idempotency-Key"]
    assert (await client.post("/v1/members", json=BEN, headers=headers)).status_code == 400


async def test_a_partners_client_may_enrol_and_not_read(client: httpx2.AsyncClient) -> None:
    partner = {"client_id": "acme-pos", "partner_id": "acme"}
    enrolled = await client.post("/v1/members", json=BEN, headers=bearing("members:write", **partner))
    assert enrolled.status_code == 201
    url = f"/v1/members/{enrolled.json()['member_id']}"
    refused = await client.get(url, headers=bearing("members:read", **partner))
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "programme-only")
    assert (await client.get(f"{url}/contact", headers=bearing("members:contact", **partner))).status_code == 403
    assert (await client.get(f"{url}/name", headers=bearing("members:name", **partner))).status_code == 403


async def test_a_cashier_is_told_how_to_greet_and_no_more(client: httpx2.AsyncClient) -> None:
    member_id = (await client.post("/v1/members", json=BEN, headers=bearing())).json()["member_id"]
    name = await client.get(f"/v1/members/{member_id}/name", headers=bearing("members:name"))
    assert name.json() == {"given_name": BEN["given_name"], "family_initial": str(BEN["family_name"])[:1]}
