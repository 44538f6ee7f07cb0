"""Files of members over HTTP: taken in page by page, gone on with where they broke off, reported line by line."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from services.members.use_cases import import_members
from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierLinked, MemberEnrolled
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

HEADER = "given_name,family_name,email,card,birth_date,language\n"
IMPORTS = "/v1/member-imports"
Client = httpx2.AsyncClient


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_members, "PAGE_RECORDS", 10)


def record(number: int, **said: str) -> str:
    fields = {
        "given_name": "Ada",
        "family_name": f"L{number}",
        "email": f"m{number}@example.com",
        "card": f"{number:08d}",
        "birth_date": "",
        "language": "",
    }
    return ",".join((fields | said).values()) + "\n"


async def declared(client: Client, **body: str) -> str:
    answer = await client.post(IMPORTS, json={"language": "en"} | body, headers=bearing())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["import_id"])


async def sent(client: Client, import_id: str, content: str | AsyncIterator[bytes], **claims: str) -> httpx2.Response:
    headers = bearing(**claims) | {"Content-Type": "text/csv; charset=utf-8"}
    return await client.put(f"{IMPORTS}/{import_id}/content", content=content, headers=headers)


async def refusals(client: Client, import_id: str) -> list[tuple[int, str, str | None]]:
    answer = await client.get(f"{IMPORTS}/{import_id}/refusals", headers=bearing("members:read"))
    return [(item["line"], item["reason"], item["column"]) for item in answer.json()["items"]]


async def count(database: Database, table: str) -> int:
    async with database.transaction() as transaction:
        return int(await transaction.raw.fetchval(f"select count(*) from {table}"))


async def test_every_record_becomes_a_member_and_is_told(client: Client, database: Database) -> None:
    import_id = await declared(client)
    answer = await sent(client, import_id, HEADER + "".join(record(number) for number in range(25)))
    assert answer.status_code == 200, answer.text
    told = {name: answer.json()[name] for name in ("state", "records_taken", "enrolled", "refused")}
    assert told == {"state": "finished", "records_taken": 25, "enrolled": 25, "refused": 0}
    kinds = [type(row.event) for row in await recorded_events(database, MEMBERS)]
    assert (kinds.count(MemberEnrolled), kinds.count(IdentifierLinked)) == (25, 25)
    found = await client.post(
        "/v1/identifiers:resolve", json={"type": "card", "value": "00000007"}, headers=bearing("members:read")
    )
    assert found.status_code == 200


async def test_each_refused_record_is_named_by_line_reason_and_column_and_holds_up_nobody(client: Client) -> None:
    await client.post(
        "/v1/members",
        json={"given_name": "B", "family_name": "B", "email": "m1@example.com", "language": "en"},
        headers=bearing(),
    )
    import_id = await declared(client)
    content = HEADER + "".join(
        (
            record(0),
            record(1),  # line 3: enrolled before
            record(2, email="not an address"),
            record(3, card="?"),
            record(4, birth_date="2999-01-01"),
            record(5, card="00000000"),  # line 7: the first one's card
            record(6, given_name=""),
            record(7, language="klingon!"),
            "too,few\n",
            record(9),
        )
    )
    answer = await sent(client, import_id, content)
    assert (answer.json()["enrolled"], answer.json()["refused"]) == (2, 8)
    assert await refusals(client, import_id) == [
        (3, "already_enrolled", None),
        (4, "email", "email"),
        (5, "invalid_identifier", "card"),
        (6, "born_later", None),
        (7, "repeated", None),
        (8, "missing", "given_name"),
        (9, "string_pattern_mismatch", "language"),
        (10, "wrong_number_of_fields", None),
    ]


async def test_a_file_that_broke_off_goes_on_where_it_stopped(client: Client, database: Database) -> None:
    import_id = await declared(client)
    records = [record(number) for number in range(35)]

    async def breaking_off() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(records[:25])).encode()
        raise ConnectionResetError("the cable was pulled")

    assert (await sent(client, import_id, breaking_off())).is_server_error
    stopped = await client.get(f"{IMPORTS}/{import_id}", headers=bearing("members:read"))
    assert (stopped.json()["state"], stopped.json()["records_taken"]) == ("open", 20)

    whole = await sent(client, import_id, HEADER + "".join(records))
    again = await sent(client, import_id, HEADER + "".join(records))

    assert (whole.json()["enrolled"], whole.json()["refused"]) == (35, 0)
    assert again.json() == whole.json()
    assert await count(database, "members") == 35


async def test_another_file_under_the_same_import_is_refused_and_changes_nothing(
    client: Client, database: Database
) -> None:
    import_id = await declared(client)
    await sent(client, import_id, HEADER + "".join(record(number) for number in range(10)))
    others = {
        "other contents": HEADER + "".join(record(number + 100) for number in range(10)),
        "shorter": HEADER + record(0),
        "longer": HEADER + "".join(record(number) for number in range(30)),
    }
    for name, content in others.items():
        answer = await sent(client, import_id, content)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "another-file"), name
    assert await count(database, "members") == 10


async def test_a_file_that_grew_after_it_was_finished_is_refused(client: Client, database: Database) -> None:
    import_id = await declared(client)
    records = [record(number) for number in range(3)]
    assert (await sent(client, import_id, HEADER + "".join(records[:2]))).json()["state"] == "finished"

    answer = await sent(client, import_id, HEADER + "".join(records))

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "another-file")
    assert await count(database, "members") == 2


async def test_a_file_that_cannot_be_read_says_where_and_keeps_what_came_before(client: Client) -> None:
    import_id = await declared(client)
    broken = HEADER + "".join(record(number) for number in range(12)) + '"never closed,x\n'
    answer = await sent(client, import_id, broken)
    assert (answer.status_code, "line 14" in answer.json()["detail"]) == (422, True)
    mended = await sent(client, import_id, HEADER + "".join(record(number) for number in range(13)))
    assert mended.json()["enrolled"] == 13


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("given_name,family_name\n", "email"),
        ("given_name,family_name,email,shoe_size\n", "shoe_size"),
        ("given_name,email,family_name,email\n", "twice"),
        ("", "empty"),
    ],
)
async def test_a_header_that_makes_no_members_is_refused(client: Client, header: str, named: str) -> None:
    answer = await sent(client, await declared(client), header)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]


async def test_two_who_send_one_file_enrol_everybody_once(client: Client, database: Database) -> None:
    import_id = await declared(client)
    content = HEADER + "".join(record(number) for number in range(40))
    answers = await asyncio.gather(sent(client, import_id, content), sent(client, import_id, content))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await sent(client, import_id, content)).json()["enrolled"] == 40
    assert await count(database, "members") == 40


async def test_an_import_that_another_sender_finished_meanwhile_stays_finished(
    client: Client, database: Database
) -> None:
    import_id = await declared(client)
    page = HEADER + "".join(record(number) for number in range(10))

    async def breaking_off() -> AsyncIterator[bytes]:
        yield page.encode()
        raise ConnectionResetError("the cable was pulled")

    async def outrun() -> AsyncIterator[bytes]:
        yield page.encode()
        assert (await sent(client, import_id, page)).json()["state"] == "finished"  # with a last page of no record
        yield record(10).encode()

    assert (await sent(client, import_id, breaking_off())).is_server_error
    late = await sent(client, import_id, outrun())

    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "import-busy")
    stands = await client.get(f"{IMPORTS}/{import_id}", headers=bearing("members:read"))
    assert (stands.json()["state"], stands.json()["records_taken"]) == ("finished", 10)
    assert await count(database, "members") == 10


async def test_two_files_with_the_same_people_enrol_them_once(client: Client, database: Database) -> None:
    one, two = await declared(client), await declared(client)
    content = HEADER + "".join(record(number) for number in range(40))
    backwards = HEADER + "".join(record(number) for number in reversed(range(40)))
    answers = await asyncio.gather(sent(client, one, content), sent(client, two, backwards))
    assert sum(answer.json()["enrolled"] for answer in answers) == 40
    assert await count(database, "members") == 40


async def test_a_partners_import_is_not_there_for_another(client: Client) -> None:
    import_id = await declared(client, partner_id="acme")
    stranger = bearing("members:read", partner_id="other")
    assert (await client.get(f"{IMPORTS}/{import_id}", headers=stranger)).status_code == 404
    assert (await client.get(f"{IMPORTS}/{import_id}/refusals", headers=stranger)).status_code == 404
    assert (await sent(client, import_id, HEADER, partner_id="other")).status_code == 404
    refused = await client.post(
        IMPORTS, json={"language": "en", "partner_id": "acme"}, headers=bearing(partner_id="other")
    )
    assert refused.status_code == 403


async def test_nothing_of_a_person_stands_in_a_report(client: Client, database: Database) -> None:
    import_id = await declared(client)
    await sent(client, import_id, HEADER + record(1, email="lovelace-the-secret", given_name="Augusta"))
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch("select * from member_import_refusals, member_imports")
    assert rows
    assert all("secret" not in str(row) and "Augusta" not in str(row) for row in rows)
