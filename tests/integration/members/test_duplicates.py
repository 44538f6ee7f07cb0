"""Members who may be one person: found in the background, listed without a name, dismissed, merged, erased."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from prometheus_client import REGISTRY

from services.members.domain.duplicates import BlockingKey
from services.members.use_cases import find_duplicates
from services.members.use_cases.find_duplicates import DuplicateFinder
from shared.database import Database
from tests.support.every_column import tables_holding
from tests.support.registries import bearing, members_settings

SETTINGS = members_settings()
HOME = {"lines": ["12 Wisteria Lane"], "postal_code": "ZQ 10128", "city": "Gotham", "country": "US"}
ELSEWHERE = {"lines": ["7 Harbor Street"], "postal_code": "20001", "city": "Metropolis", "country": "US"}
ANNA = {"given_name": "Ximena", "family_name": "Quagmire", "birth_date": "1987-05-17", "address": HOME}
PERSONAL = ("Ximena", "Quagmire", "Quagmyre", "1987-05-17", "Wisteria", "ZQ 10128", "Gotham")
SKIPPED = "tessera_members_duplicate_blocks_skipped_total"
TABLES = ("person_blocks", "awaited_comparisons", "duplicates")

Client = httpx2.AsyncClient


@pytest.fixture
def finder(database: Database) -> DuplicateFinder:
    key = BlockingKey.of(SETTINGS.hashing_keys.oldest.secret)
    return DuplicateFinder(database, SETTINGS.keys, key, SETTINGS.duplicate_score_percent_min)


async def enrol(client: Client, **person: object) -> str:
    body = ANNA | {"email": f"{uuid4().hex}@example.com", "language": "en"} | person
    answer = await client.post("/v1/members", json=body, headers=bearing())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member_id"])


async def listed(client: Client, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/duplicates", params=query, headers=bearing("members:merge"))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def pairs(client: Client) -> set[frozenset[str]]:
    return {frozenset(item["member_ids"]) for item in await listed(client)}


async def dismiss(client: Client, duplicate_id: str) -> httpx2.Response:
    body = {"reason_code": "different_people"}
    return await client.post(f"/v1/duplicates/{duplicate_id}/dismiss", json=body, headers=bearing(client_id="ann"))


async def correct(client: Client, member_id: str, **person: object) -> None:
    url = f"/v1/members/{member_id}"
    version = (await client.get(url, headers=bearing())).headers["ETag"]
    answer = await client.patch(url, json=person, headers=bearing() | {"If-Match": version})
    assert answer.status_code == 200, answer.text


async def holding(database: Database, member_ids: Iterable[str]) -> set[str]:
    return set(await tables_holding(database, member_ids)) & set(TABLES)


async def test_a_pair_is_found_after_enrolment_and_listed_without_a_personal_value(
    client: Client, database: Database, finder: DuplicateFinder
) -> None:
    anna, typo = await enrol(client), await enrol(client, family_name="Quagmyre")
    moved = await enrol(client, given_name="Ximena", address=ELSEWHERE)
    await enrol(client, given_name="Marie")  # a twin
    await enrol(client, given_name="Bruno", family_name="Katz", birth_date="1990-12-01", address=ELSEWHERE)
    assert await listed(client) == []
    await finder.find_all()
    await finder.find_all()  # nothing is awaited, and nothing happens

    answer = await client.get("/v1/duplicates", headers=bearing("members:merge"))
    found = answer.json()["items"]
    assert [(item["score_percent"], set(item["member_ids"])) for item in found] == [
        (98, {anna, typo}),
        (85, {anna, moved}),
        (83, {typo, moved}),
    ]
    assert found[0].keys() == {"duplicate_id", "member_ids", "score_percent", "agreeing_fields", "found_at"}
    assert found[1]["agreeing_fields"] == ["name", "birth_date"]
    assert await tables_holding(database, PERSONAL) == {}
    accesses = await client.get("/v1/personal-accesses", headers=bearing())
    assert accesses.json()["items"] == []  # a machine compared, and nothing left the service


async def test_the_list_comes_page_by_page_the_most_alike_first(client: Client, finder: DuplicateFinder) -> None:
    for given_name in ("Ximena", "Ximena", "Ximene"):
        await enrol(client, given_name=given_name)
    await finder.find_all()
    everything = await listed(client)
    assert everything[0]["score_percent"] == 100
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        answer = await client.get("/v1/duplicates", params=query, headers=bearing())
        found += answer.json()["items"]
        if (cursor := answer.json()["next_cursor"]) is None:
            break
        query["cursor"] = cursor
    assert (len(found), found) == (3, everything)


async def test_pairs_are_found_after_an_import_page_by_page(
    client: Client, finder: DuplicateFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_duplicates, "PAGE_MEMBERS_MAX", 3)
    anna = await enrol(client)
    await finder.find_all()
    declared = await client.post("/v1/member-imports", json={"language": "en"}, headers=bearing())
    lines = ["given_name,family_name,email,birth_date,address_line_1,postal_code,city,country"]
    lines += [f"Ada,L{number},m{number}@example.com,19{number}-01-02,,,," for number in range(50, 60)]
    lines.append("Ximena,Quagmyre,x@example.com,1987-05-17,12 Wisteria Lane,ZQ 10128,Gotham,US")
    url = f"/v1/member-imports/{declared.json()['import_id']}/content"
    sent = await client.put(url, content="\n".join(lines) + "\n", headers=bearing() | {"Content-Type": "text/csv"})
    assert (sent.status_code, sent.json()["enrolled"]) == (200, 11), sent.text
    await finder.find_all()
    (pair,) = await pairs(client)
    assert anna in pair


async def test_a_card_that_joined_first_is_compared_once_its_person_is_told(
    client: Client, finder: DuplicateFinder
) -> None:
    anna = await enrol(client)
    card = {"language": "en", "identifiers": [{"type": "card", "value": "9001 2345"}]}
    joined = (await client.post("/v1/members:card-first", json=card, headers=bearing())).json()["member_id"]
    await finder.find_all()
    assert await pairs(client) == set()
    person = ANNA | {"email": "anna@example.com"}
    assert (await client.put(f"/v1/members/{joined}/person", json=person, headers=bearing())).status_code == 200
    await finder.find_all()
    assert await pairs(client) == {frozenset({anna, joined})}


async def test_what_was_dismissed_stays_away_until_one_of_them_is_corrected(
    client: Client, finder: DuplicateFinder
) -> None:
    anna, other = await enrol(client), await enrol(client)
    await finder.find_all()
    (item,) = await listed(client)
    answer = await dismiss(client, item["duplicate_id"])
    told = answer.json()
    assert (answer.status_code, told["reason_code"], told["dismissed_by"]) == (200, "different_people", "ann")
    again = await dismiss(client, item["duplicate_id"])
    assert (again.status_code, again.json()) == (200, told)

    await correct(client, anna, email="other@example.com")  # nothing that is compared
    await enrol(client)  # a third one, like both
    await finder.find_all()
    assert frozenset({anna, other}) not in await pairs(client)
    assert len(await pairs(client)) == 2

    await correct(client, other, family_name="Quagmyre")
    assert len(await pairs(client)) == 1  # what was found about the old name is gone at once
    await finder.find_all()
    assert frozenset({anna, other}) in await pairs(client)
    assert len(await pairs(client)) == 3


async def test_what_was_found_is_not_dismissed_once_a_person_is_another_one(
    client: Client, finder: DuplicateFinder
) -> None:
    await enrol(client)
    other = await enrol(client)
    await finder.find_all()
    (item,) = await listed(client)
    await correct(client, other, given_name="Bruno", family_name="Katz")
    await finder.find_all()
    assert await listed(client) == []
    assert (await dismiss(client, item["duplicate_id"])).status_code == 404
    assert (await dismiss(client, str(uuid4()))).status_code == 404


async def test_a_merge_settles_the_pair_and_takes_dismissals_along(
    client: Client, database: Database, finder: DuplicateFinder
) -> None:
    survivor, merged, other = [await enrol(client) for _ in range(3)]
    await finder.find_all()
    for item in await listed(client):
        if set(item["member_ids"]) == {merged, other}:
            assert (await dismiss(client, item["duplicate_id"])).status_code == 200
    body = {"merged_member_id": merged, "reason_code": "duplicate"}
    answer = await client.post(f"/v1/members/{survivor}/merge", json=body, headers=bearing())
    assert answer.status_code == 200, answer.text
    # That the survivor is not the other one was not said: it was open before, and stays so.
    assert await pairs(client) == {frozenset({survivor, other})}
    assert await holding(database, [merged]) == set()
    await finder.find_all()
    assert await pairs(client) == {frozenset({survivor, other})}


async def test_whom_the_merged_one_was_not_the_survivor_is_not(client: Client, finder: DuplicateFinder) -> None:
    survivor = await enrol(client, given_name="Marie")  # not alike enough to be listed with the others
    merged, other = await enrol(client), await enrol(client)
    await finder.find_all()
    (item,) = await listed(client)
    await dismiss(client, item["duplicate_id"])
    body = {"merged_member_id": merged, "reason_code": "duplicate"}
    await client.post(f"/v1/members/{survivor}/merge", json=body, headers=bearing())
    again = await dismiss(client, item["duplicate_id"])
    assert (again.status_code, again.json()["dismissed_by"]) == (200, "ann")
    await finder.find_all()
    assert await pairs(client) == set()
    assert other


async def test_a_survivor_who_learns_something_is_compared_anew(client: Client, finder: DuplicateFinder) -> None:
    survivor = await enrol(client, birth_date=None, address=None)
    merged, other = await enrol(client, given_name="Marie"), await enrol(client)
    await finder.find_all()
    assert await pairs(client) == set()
    body = {"merged_member_id": merged, "reason_code": "duplicate"}
    await client.post(f"/v1/members/{survivor}/merge", json=body, headers=bearing())
    await finder.find_all()
    assert await pairs(client) == {frozenset({survivor, other})}


async def test_erasure_leaves_nothing_of_it_in_any_table(
    client: Client, database: Database, finder: DuplicateFinder
) -> None:
    anna, other = await enrol(client), await enrol(client)
    await finder.find_all()
    await correct(client, other, family_name="Quagmyre")
    assert await holding(database, [other]) == {"awaited_comparisons", "duplicates"}
    await finder.find_all()
    assert await holding(database, [anna]) == {"person_blocks", "duplicates"}
    for member_id in (anna, other):
        body = {"reason_code": "data_subject_request"}
        assert (await client.post(f"/v1/members/{member_id}/erase", json=body, headers=bearing())).status_code == 200
        assert await holding(database, [member_id]) == set()
    await finder.find_all()
    assert await holding(database, [anna, other]) == set()


async def test_whoever_is_closed_is_no_candidate(client: Client, finder: DuplicateFinder) -> None:
    anna = await enrol(client)
    await enrol(client)
    await finder.find_all()
    await client.post(f"/v1/members/{anna}/close", json={"reason_code": "member_request"}, headers=bearing())
    assert await listed(client) == []
    await enrol(client)
    await finder.find_all()
    assert len(await listed(client)) == 1


async def test_a_block_that_is_too_large_is_skipped_and_counted(
    client: Client, finder: DuplicateFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_duplicates, "BLOCK_MEMBERS_MAX", 2)
    skipped = REGISTRY.get_sample_value(SKIPPED)
    for _ in range(3):
        await enrol(client, birth_date=None)
    await finder.find_all()
    assert await listed(client) == []
    assert REGISTRY.get_sample_value(SKIPPED) == (skipped or 0) + 1


async def test_somebody_who_is_corrected_while_others_are_compared_is_compared_anew(
    client: Client, database: Database, finder: DuplicateFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enrol(client)
    other = await enrol(client)
    look = finder._look

    async def look_and_be_overtaken(awaited: dict[UUID, int]) -> Any:
        found = await look(awaited)
        await correct(client, other, family_name="Katz", given_name="Bruno")
        return found

    monkeypatch.setattr(finder, "_look", look_and_be_overtaken)
    await finder.find_all()
    assert await listed(client) == []
    monkeypatch.undo()
    await finder.find_all()
    assert await listed(client) == []
    assert await holding(database, [other]) == {"person_blocks"}


async def test_the_list_is_the_programmes_with_the_scope_of_merging(client: Client) -> None:
    assert (await client.get("/v1/duplicates")).status_code == 401
    assert (await client.get("/v1/duplicates", headers=bearing("members:read"))).status_code == 403
    bound = bearing("members:merge", client_id="acme", partner_id="acme")
    assert (await client.get("/v1/duplicates", headers=bound)).status_code == 403
    url, body = f"/v1/duplicates/{uuid4()}/dismiss", {"reason_code": "different_people"}
    assert (await client.post(url, json=body, headers=bound)).status_code == 403
