"""POST /v1/members/{id}/erase: nothing in members leads to a person any more."""

import asyncio
from uuid import UUID, uuid4

import httpx2
import pytest

from services.members.domain.erasure import ErasureRequest
from services.members.domain.sealed import WrappedKey
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.persons import open_person
from services.members.use_cases.erase_member import erase_member
from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierLinked, MemberErased
from tests.support.every_column import tables_holding
from tests.support.outbox_rows import recorded_events
from tests.support.registries import MASTER_KEYS, bearing
from tests.support.until import until

ZOE: dict[str, object] = {
    "given_name": "Ximena",
    "family_name": "Quagmire",
    "email": "ximena@example.com",
    "phone": "(212) 555-0142",
    "birth_date": "1987-05-17",
    "address": {"lines": ["12 Wisteria Lane"], "postal_code": "ZQ 10128", "city": "Gotham", "country": "US"},
    "language": "pt-BR",
    "region": "US-NY",
    "identifiers": [{"type": "card", "value": "QX77 0011 22"}, {"type": "phone", "value": "212 555 0142"}],
}
CARD = {"type": "card", "value": "QX77 0011 22"}
PERSONAL = (
    "Ximena", "Quagmire", "example.com", "5550142", "1987-05-17", "Wisteria", "ZQ 10128", "Gotham", "QX770011",
    "pt-BR", "US-NY", "Zizi",
)  # fmt: skip
DEAD_LETTER = """
    insert into dead_letters (topic, topic_partition, topic_offset, record_key, header_names, header_values, body,
                              cause, detail, died_at)
    values ('loyalty.coalition', 0, $1, $2, '{}', '{}', $2, 'broken', $3, now())
"""


async def enrol(client: httpx2.AsyncClient, **more: str) -> httpx2.Response:
    return await client.post("/v1/members", json=ZOE, headers=bearing() | more)


@pytest.fixture
async def zoe(client: httpx2.AsyncClient) -> str:
    answer = await enrol(client)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member_id"])


async def erase(client: httpx2.AsyncClient, member_id: str, **more: str) -> httpx2.Response:
    headers = bearing("members:erase", client_id="dpo") | more
    body = {"reason_code": "data_subject_request"}
    return await client.post(f"/v1/members/{member_id}/erase", json=body, headers=headers)


async def hashes_of(database: Database, member_id: str) -> dict[str, str]:
    statement = "select identifier_hash, identifier_type from identifiers where member_id = $1"
    async with database.transaction() as transaction:
        return {
            row["identifier_hash"]: row["identifier_type"] for row in await transaction.raw.fetch(statement, member_id)
        }


async def is_anybody_waiting(database: Database) -> bool:
    statement = "select exists (select from pg_locks where not granted and relation = 'identifier_versions'::regclass)"
    async with database.transaction() as transaction:
        return bool(await transaction.raw.fetchval(statement))


async def say_more(client: httpx2.AsyncClient, url: str) -> None:
    """Attributes, personal and not, and a consent whose confirmation is awaited."""
    for code, is_personal, value in (("nickname", True, "Zizi-Nickname"), ("shoes", False, "Zizi-Shoes")):
        declared = {"code": code, "type": "text", "is_personal": is_personal, "text_length_max": 20}
        await client.post("/v1/attributes", json=declared, headers=bearing())
        put = await client.put(f"{url}/attributes/{code}", json={"value": value, "source": "web"}, headers=bearing())
        assert put.status_code == 200, put.text
    text = {"purpose": "marketing", "channel": "email", "text_version": "2026-03"}
    wordings = [{"language": "en", "wording": "Yes, write to me."}]
    await client.post("/v1/consent-texts", json=text | {"wordings": wordings}, headers=bearing())
    consent = text | {"language": "en", "source": "web", "proof": "Zizi-Form", "is_granted": True}
    said = await client.post(f"{url}/consents", json=consent, headers=bearing())
    assert said.status_code == 201, said.text


async def live_a_little(client: httpx2.AsyncClient, database: Database, member_id: str) -> dict[str, str]:
    """Everything that leaves traces; the hashes that lead to the member afterwards."""
    url = f"/v1/members/{member_id}"
    await client.post(f"{url}/identifiers", json={"type": "token", "value": "zoes-token"}, headers=bearing())
    version = (await client.get(url, headers=bearing())).headers["ETag"]
    told = {"email": "Quagmire@example.com"}
    assert (await client.patch(url, json=told, headers=bearing() | {"If-Match": version})).status_code == 200
    await say_more(client, url)
    await client.post(f"{url}/suspend", json={"reason_code": "card_stolen"}, headers=bearing())
    hashes = await hashes_of(database, member_id)
    async with database.transaction() as transaction:
        for key in (member_id, *hashes):
            await transaction.raw.execute(DEAD_LETTER, uuid4().int % 2**60, key.encode(), f"could not read {key}")
    return hashes


async def test_no_value_and_no_hash_is_left_in_any_table_once_the_events_are_relayed(
    client: httpx2.AsyncClient, database: Database, zoe: str
) -> None:
    hashes = await live_a_little(client, database, zoe)
    assert sorted(hashes.values()) == ["card", "email", "phone", "token"]
    assert set(await tables_holding(database, hashes)) >= {"identifiers", "idempotency", "outbox", "dead_letters"}
    answer = await erase(client, zoe)
    assert (answer.status_code, answer.json()["status"]) == (200, "erased"), answer.text
    # The outbox carries hashes until it is relayed: MemberErased is how the others learn what to delete.
    assert set(await tables_holding(database, [*PERSONAL, *hashes])) == {"outbox"}
    async with database.transaction() as transaction:
        await transaction.raw.execute("delete from outbox")  # as the relay does
    assert await tables_holding(database, [*PERSONAL, *hashes]) == {}
    left = await tables_holding(database, [zoe])
    assert {
        "persons", "member_keys", "identifiers", "dead_letters", "attribute_entries", "member_attributes"
    }.isdisjoint(left)  # fmt: skip
    async with database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from consent_confirmations") == 0


async def test_the_event_names_every_identifier_in_whatever_state_and_no_address(
    client: httpx2.AsyncClient, database: Database, zoe: str
) -> None:
    hashes = await live_a_little(client, database, zoe)
    block = {"identifier": CARD, "reason_code": "stolen"}
    assert (await client.post("/v1/identifiers:block", json=block, headers=bearing())).status_code == 200
    answer = await erase(client, zoe)
    (event,) = [row.event for row in await recorded_events(database, MEMBERS) if isinstance(row.event, MemberErased)]
    assert set(event.data.identifier_hashes) == {each for each, kind in hashes.items() if kind != "email"}
    assert (str(event.data.member_id), event.data.version) == (zoe, answer.json()["version"])


async def test_the_same_call_again_answers_the_same(client: httpx2.AsyncClient, database: Database, zoe: str) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first = await erase(client, zoe, **key)
    for again in (await erase(client, zoe, **key), await erase(client, zoe)):
        assert (again.status_code, again.json()) == (200, first.json())
    together = await asyncio.gather(*(erase(client, zoe) for _ in range(4)))
    assert {answer.content for answer in together} == {first.content}
    events = [row.event for row in await recorded_events(database, MEMBERS)]
    assert len([event for event in events if isinstance(event, MemberErased)]) == 1
    history = await client.get(f"/v1/members/{zoe}/status-changes", headers=bearing())
    assert [(item["changed_by"], item["to_status"]) for item in history.json()["items"]] == [("dpo", "erased")]


async def test_nobody_is_found_and_nothing_can_be_done_any_more(client: httpx2.AsyncClient, zoe: str) -> None:
    await erase(client, zoe)
    url = f"/v1/members/{zoe}"
    for path in (url, f"{url}/contact"):
        assert (await client.get(path, headers=bearing())).status_code == 404
    assert (await client.post("/v1/identifiers:resolve", json=CARD, headers=bearing())).status_code == 404
    linked = await client.post(f"{url}/identifiers", json={"type": "card", "value": "5555"}, headers=bearing())
    status = await client.post(f"{url}/status", json={"reason_code": "mistake", "status": "active"}, headers=bearing())
    patched = await client.patch(url, json={"given_name": "Eve"}, headers=bearing() | {"If-Match": '"2"'})
    assert (linked.status_code, status.status_code, patched.status_code) == (409, 409, 409)


async def test_a_card_of_somebody_erased_is_nobodys_and_is_enrolled_above_its_old_version(
    client: httpx2.AsyncClient, database: Database, zoe: str
) -> None:
    await erase(client, zoe)
    anew = await enrol(client)
    assert anew.status_code == 201, anew.text
    assert anew.json()["member_id"] != zoe
    events = [row.event for row in await recorded_events(database, MEMBERS)]
    versions: dict[str, list[int]] = {}
    for event in events:
        if isinstance(event, IdentifierLinked):
            versions.setdefault(event.data.identifier_hash, []).append(event.data.version)
    assert [(len(each), each[0] < each[1]) for each in versions.values()] == [(2, True), (2, True)]


async def test_an_enrolment_that_meets_an_erasure_waits_for_it_and_begins_above(
    client: httpx2.AsyncClient, database: Database, zoe: str
) -> None:
    read = (await client.get(f"/v1/members/{zoe}", headers=bearing())).json()
    versions = {item["identifier_hash"]: item["version"] for item in read["identifiers"]}
    request = ErasureRequest(UUID(zoe), "data_subject_request", "dpo")
    async with database.transaction() as transaction:
        await erase_member(transaction, request, {"data_subject_request"})
        enrolling = asyncio.create_task(enrol(client))
        await until(lambda: is_anybody_waiting(database))
    answer = await enrolling
    assert answer.status_code == 201, answer.text
    assert all(item["version"] > versions[item["identifier_hash"]] for item in answer.json()["identifiers"])


async def test_a_retry_of_the_enrolment_does_not_enrol_again_what_was_erased(client: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    member_id = (await enrol(client, **key)).json()["member_id"]
    assert (await enrol(client, **key)).status_code == 201
    await erase(client, member_id)
    again = await enrol(client, **key)
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (422, "idempotency-key-reused")


async def test_a_copy_from_before_opens_with_a_key_that_is_nowhere_any_more(
    client: httpx2.AsyncClient, database: Database, zoe: str
) -> None:
    async with database.transaction() as transaction:
        sealed = await transaction.raw.fetchval("select sealed from persons where member_id = $1", zoe)
        row = await transaction.raw.fetchrow("select * from member_keys where member_id = $1", zoe)
    assert row is not None
    copied_key = WrappedKey(row["master_key_id"], row["wrapped_key"])
    assert open_person(MasterKeys.parse(MASTER_KEYS).unwrap(copied_key, UUID(zoe)), sealed).given_name == "Ximena"
    await erase(client, zoe)
    async with database.transaction() as transaction:
        left = await transaction.raw.fetchval("select count(*) from member_keys where member_id = $1", zoe)
    assert left == 0


async def test_erasing_is_the_programmes_with_a_scope_of_its_own_and_a_known_reason(
    client: httpx2.AsyncClient, zoe: str
) -> None:
    body = {"reason_code": "data_subject_request"}
    url = f"/v1/members/{zoe}/erase"
    assert (await client.post(url, json=body)).status_code == 401
    assert (await client.post(url, json=body, headers=bearing("members:status"))).status_code == 403
    bound = bearing("members:erase", client_id="acme", partner_id="acme")
    assert (await client.post(url, json=body, headers=bound)).status_code == 403
    assert (await client.post(url, json={"reason_code": "because"}, headers=bearing())).status_code == 422
    assert (await erase(client, str(uuid4()))).status_code == 404
    assert (await client.get(f"/v1/members/{zoe}", headers=bearing())).status_code == 200
