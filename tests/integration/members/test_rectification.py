"""PATCH /v1/members/{id}: a person has something corrected."""

import asyncio
from uuid import uuid4

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import ContactChanged, MemberChanged
from tests.support.every_column import tables_holding
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

ADA: dict[str, object] = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "email": "ada@example.com",
    "phone": "+12125550142",
    "birth_date": "1990-12-10",
    "language": "en",
    "region": "US-NY",
}


async def enrol(client: httpx2.AsyncClient, body: dict[str, object]) -> httpx2.Response:
    return await client.post("/v1/members", json=body, headers=bearing())


@pytest.fixture
async def ada(client: httpx2.AsyncClient) -> str:
    return str((await enrol(client, ADA)).json()["member_id"])


async def patch(client: httpx2.AsyncClient, member_id: str, tag: str | None, body: object) -> httpx2.Response:
    headers = bearing("members:write") | ({} if tag is None else {"If-Match": tag})
    return await client.patch(f"/v1/members/{member_id}", json=body, headers=headers)


async def read(client: httpx2.AsyncClient, member_id: str) -> httpx2.Response:
    return await client.get(f"/v1/members/{member_id}", headers=bearing("members:read"))


async def changes(database: Database) -> list[MemberChanged]:
    events = [row.event for row in await recorded_events(database, MEMBERS)]
    return [event for event in events if isinstance(event, MemberChanged)]


async def test_what_is_sent_is_corrected_and_the_rest_stays(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    tag = (await read(client, ada)).headers["ETag"]
    address = {"lines": ["1 Main St"], "postal_code": None, "city": "Gotham", "country": "US"}
    told = {"family_name": "King", "phone": None, "birth_date": "1990-11-09", "address": address, "language": "fr"}
    answer = await patch(client, ada, tag, told)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["version"], answer.headers["ETag"]) == (2, '"2"')
    assert "King" not in answer.text
    now = (await read(client, ada)).json()
    assert {name: now[name] for name in told} == told
    assert (now["given_name"], now["email"], now["region"]) == ("Ada", "ada@example.com", "US-NY")
    (event,) = await changes(database)
    assert (event.data.version, event.data.language, event.data.birth_month, event.data.birth_day) == (2, "fr", 11, 9)
    assert await tables_holding(database, ["King", "Gotham", "1 Main St", "1990-11-09"]) == {}


async def test_without_the_version_that_was_read_nothing_is_changed(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    told = {"family_name": "King", "email": "king@example.com"}
    assert (await patch(client, ada, None, told)).status_code == 428
    for tag in ('"7"', "*", "1", 'W/"1"'):
        assert (await patch(client, ada, tag, told)).status_code == 412
    assert (await read(client, ada)).json()["family_name"] == "Lovelace"
    assert await changes(database) == []
    assert (await enrol(client, ADA | {"email": "king@example.com"})).status_code == 201


async def test_of_two_who_correct_the_same_version_one_wins(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    bodies = [{"given_name": f"Ada{number}", "email": f"ada{number}@example.com"} for number in range(6)]
    answers = await asyncio.gather(*(patch(client, ada, '"1"', body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    winner = next(body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200)
    now = (await read(client, ada)).json()
    assert {"given_name": now["given_name"], "email": now["email"]} == winner
    assert len(await changes(database)) == 1
    async with database.transaction() as transaction:
        held = await transaction.raw.fetchval("select count(*) from identifiers where member_id = $1", ada)
    assert held == 1


async def test_an_address_moves_the_old_is_free_and_the_new_is_taken(client: httpx2.AsyncClient, ada: str) -> None:
    assert (await patch(client, ada, '"1"', {"email": "king@example.com"})).status_code == 200
    assert (await enrol(client, ADA | {"email": "KING@example.com"})).status_code == 409
    ben = await enrol(client, ADA | {"given_name": "Ben"})
    assert ben.status_code == 201
    refused = await patch(client, ada, '"2"', {"email": "Ada@Example.com", "given_name": "Eve"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "already-enrolled")
    assert (await read(client, ada)).json()["given_name"] == "Ada"
    letter_case = await patch(client, ada, '"2"', {"email": "King@example.com"})
    assert letter_case.status_code == 200
    assert (await read(client, ada)).json()["email"] == "King@example.com"


async def test_that_the_address_is_another_one_is_told_without_it_and_again_with_its_time(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    for tag, email in (('"1"', "ADA@example.com"), ('"2"', "king@example.com"), ('"3"', "king@example.com")):
        assert (await patch(client, ada, tag, {"email": email, "region": "US-NJ"})).status_code == 200
    for _ in range(2):
        assert (await client.post("/v1/members:republish", json={}, headers=bearing())).status_code == 200
    rows = await recorded_events(database, MEMBERS)
    told = [row.event.data for row in rows if isinstance(row.event, ContactChanged)]
    assert [(str(one.member_id), one.version) for one in told] == [(ada, 3)] * 3
    assert len({one.changed_at for one in told}) == 1
    assert not [row for row in rows if b"example.com" in row.body]


async def test_members_who_swap_addresses_at_once_do_not_deadlock(client: httpx2.AsyncClient, ada: str) -> None:
    ben = (await enrol(client, ADA | {"email": "ben@example.com"})).json()["member_id"]
    for _ in range(3):
        answers = await asyncio.gather(
            patch(client, ada, '"1"', {"email": "ben@example.com"}),
            patch(client, ben, '"1"', {"email": "ada@example.com"}),
        )
        assert [answer.status_code for answer in answers] == [409, 409]


async def test_what_is_as_it_was_is_no_change(client: httpx2.AsyncClient, database: Database, ada: str) -> None:
    for body in ({}, {"given_name": "Ada", "email": "ada@example.com", "region": "US-NY"}):
        answer = await patch(client, ada, '"1"', body)
        assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert await changes(database) == []


async def test_what_cannot_be_is_refused_and_named(client: httpx2.AsyncClient, ada: str) -> None:
    invalid: tuple[tuple[dict[str, object], str], ...] = (
        ({"given_name": None}, "/given_name"),
        ({"email": None}, "/email"),
        ({"email": "nobody"}, "/email"),
        ({"language": None}, "/language"),
        ({"phone": "12"}, "/phone"),
        ({"status": "closed"}, "/status"),
        ({"address": {"city": "x"}}, "/address/lines"),
    )
    for body, pointer in invalid:
        refused = await patch(client, ada, '"1"', body)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"].startswith(pointer.rpartition("/")[0] or pointer)
    assert (await patch(client, ada, '"1"', {"birth_date": "2999-01-01"})).status_code == 422
    assert (await patch(client, str(uuid4()), '"1"', {"given_name": "Eve"})).status_code == 404


async def test_nothing_of_a_closed_member_is_corrected(client: httpx2.AsyncClient, ada: str) -> None:
    closing = {"reason_code": "member_request"}
    await client.post(f"/v1/members/{ada}/close", json=closing, headers=bearing("members:status"))
    refused = await patch(client, ada, '"2"', {"given_name": "Eve"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "member-gone")


async def test_persons_are_the_programmes_to_correct(client: httpx2.AsyncClient, ada: str) -> None:
    bound = bearing("members:write", client_id="acme", partner_id="acme") | {"If-Match": '"1"'}
    assert (await client.patch(f"/v1/members/{ada}", json={}, headers=bound)).status_code == 403
    wrong = bearing("members:read") | {"If-Match": '"1"'}
    assert (await client.patch(f"/v1/members/{ada}", json={}, headers=wrong)).status_code == 403
    assert (await client.patch(f"/v1/members/{ada}", json={})).status_code == 401
