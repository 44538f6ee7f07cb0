"""A partner's operators over HTTP: known by keyed hashes, told of, and without their own card when it is to be gone."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.coalition.consumer import MemberHandler
from services.coalition.domain.operators import Operator, OperatorChange
from services.coalition.use_cases import retire_own_cards as retiring
from services.coalition.use_cases.change_operator import change_operator
from services.coalition.use_cases.erase_members import erase_members
from services.coalition.use_cases.register_operators import register_operators
from services.coalition.use_cases.retire_own_cards import retire_own_cards
from shared.database import Database, Transaction
from shared.events.catalogue import COALITION
from shared.events.coalition import OperatorChanged
from shared.events.members import MemberErased
from shared.ids import IdentifierKey, IdentifierType, hash_identifier
from shared.kafka import Batch, ReadPosition, Record
from tests.support.interleaving import interleave
from tests.support.member_events import erased
from tests.support.outbox_rows import recorded_events
from tests.support.receipts import member
from tests.support.registries import IDENTIFIER_KEY, bearing

OPERATORS = "/v1/partners/acme/operators"
STAFF_NUMBER, CARD = "cashier-4711", "qx77-0011 22"
KEY = IdentifierKey(1, bytes.fromhex(IDENTIFIER_KEY))
OPERATOR_HASH = hash_identifier(IdentifierType.OPERATOR, f"acme/{STAFF_NUMBER}", KEY)
CARD_HASH = hash_identifier(IdentifierType.CARD, "QX77001122", KEY)
Client = httpx2.AsyncClient


@pytest.fixture(autouse=True)
async def partners(client: Client) -> None:
    for partner_id in ("acme", "bolt"):
        body = {"partner_id": partner_id, "name": partner_id}
        assert (await client.post("/v1/partners", json=body, headers=bearing())).status_code == 201


async def register(client: Client, **who: Any) -> httpx2.Response:
    body = {"operator_id": STAFF_NUMBER, "own_card": CARD}
    return await client.post(OPERATORS, json=body, headers=bearing("operators:write", **who))


async def patch(client: Client, version: int, author: str = "programme", **said: Any) -> httpx2.Response:
    headers = bearing("operators:write", client_id=author) | {"If-Match": f'"{version}"'}
    return await client.patch(f"{OPERATORS}/{OPERATOR_HASH}", json=said, headers=headers)


async def told(database: Database) -> list[OperatorChanged]:
    recorded = await recorded_events(database, COALITION)
    assert {each.key for each in recorded if isinstance(each.event, OperatorChanged)} <= {"acme", "bolt"}
    return [each.event for each in recorded if isinstance(each.event, OperatorChanged)]


async def erase(database: Database, *events: MemberErased) -> None:
    records = tuple(
        Record(event=event, topic="loyalty.members", partition=0, offset=offset, key=None, body=b"", headers={})
        for offset, event in enumerate(events)
    )
    await MemberHandler(database).handle(Batch(records, (ReadPosition("loyalty.members", 0, len(events), None),)))


async def everything_stored(database: Database) -> str:
    tables = ("operators", "audit_log", "outbox", "idempotency")
    async with database.transaction() as transaction:
        found = [await transaction.raw.fetch(f"select * from {table}") for table in tables]
    return str([tuple(row) for rows in found for row in rows])


async def test_an_operator_is_known_by_the_hash_that_receipts_bear(client: Client, database: Database) -> None:
    answer = await register(client)
    assert answer.status_code == 201, answer.text
    expected = {
        "partner_id": "acme",
        "operator_hash": OPERATOR_HASH,
        "state": "active",
        "has_own_card": True,
        "version": 1,
    }
    assert answer.json() == expected
    read = await client.get(f"{OPERATORS}/{OPERATOR_HASH}", headers=bearing("operators:read"))
    assert (read.json(), read.headers["ETag"]) == (expected, '"1"')
    (event,) = await told(database)
    assert (event.subject, event.data.version, event.data.state) == (f"acme/{OPERATOR_HASH}", 1, "active")
    assert (event.data.operator_hash, event.data.own_card_hashes) == (OPERATOR_HASH, (CARD_HASH,))


async def test_neither_the_staff_number_nor_the_card_is_stored_anywhere(client: Client, database: Database) -> None:
    assert (await register(client)).status_code == 201
    assert (await register(client)).status_code == 409
    assert (await patch(client, 1, own_card=None)).status_code == 200
    assert (await patch(client, 2, own_card="QX77001122")).status_code == 200
    stored = await everything_stored(database)
    assert OPERATOR_HASH in stored
    assert not any(raw in stored for raw in (STAFF_NUMBER, CARD, "QX77001122"))
    async with database.transaction() as transaction:
        acts = await transaction.raw.fetch("select before, after from audit_log where action like 'operator.%'")
    assert CARD_HASH not in str([tuple(act) for act in acts])


async def test_a_registration_that_is_sent_again_has_one_effect_and_another_one_is_refused(
    client: Client, database: Database
) -> None:
    headers = bearing("operators:write")
    body = {"operator_id": STAFF_NUMBER, "own_card": CARD}
    first, again = [await client.post(OPERATORS, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    assert (await client.post(OPERATORS, json=body | {"own_card": None}, headers=headers)).status_code == 422
    taken = await client.post(OPERATORS, json={"operator_id": f" {STAFF_NUMBER} "}, headers=bearing("operators:write"))
    assert (taken.status_code, taken.json()["type"].rpartition("/")[2]) == (409, "operator-exists")
    assert len(await told(database)) == 1


async def test_many_are_registered_at_once_and_who_is_there_stays(client: Client, database: Database) -> None:
    await register(client)
    many = [{"operator_id": STAFF_NUMBER}, *({"operator_id": str(number), "own_card": CARD} for number in range(3))]
    answer = await client.post(f"{OPERATORS}:batch", json={"operators": many}, headers=bearing("operators:write"))
    assert answer.status_code == 201, answer.text
    outcomes = [(each["operator_hash"], each["outcome"]) for each in answer.json()["operators"]]
    assert outcomes[0] == (OPERATOR_HASH, "existed")
    assert [outcome for _, outcome in outcomes[1:]] == ["registered"] * 3

    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(OPERATORS, params=query, headers=bearing("operators:read"))).json()
        found += page["items"]
        cursor = page["next_cursor"]
    assert [each["operator_hash"] for each in found] == sorted(each for each, _ in outcomes)
    assert all(each["has_own_card"] for each in found)
    events = await told(database)
    assert [event.data.version for event in events] == [1] * 4
    assert [event.data.operator_hash for event in events[1:]] == [each for each, _ in outcomes[1:]]


async def test_the_same_number_is_another_operator_at_another_partner(client: Client) -> None:
    await register(client)
    path = "/v1/partners/bolt/operators"
    answer = await client.post(path, json={"operator_id": STAFF_NUMBER}, headers=bearing("operators:write"))
    assert answer.status_code == 201
    assert answer.json()["operator_hash"] != OPERATOR_HASH


async def test_who_leaves_loses_the_own_card_and_may_come_back(client: Client, database: Database) -> None:
    author = f"hr-{uuid4().hex}"
    await register(client, client_id=author)
    left = await patch(client, 1, author, state="left")
    assert (left.json()["state"], left.json()["has_own_card"], left.headers["ETag"]) == ("left", False, '"2"')
    refused = await patch(client, 2, author, own_card=CARD)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "operator-left")
    back = await patch(client, 2, author, state="active", own_card=CARD)
    assert (back.status_code, back.json()["has_own_card"], back.json()["version"]) == (200, True, 3)
    without = await patch(client, 3, author, own_card=None)
    assert (without.json()["state"], without.json()["has_own_card"]) == ("active", False)
    same = await patch(client, 4, author, state="active", own_card=None)
    assert (same.status_code, same.json()["version"]) == (200, 4)
    stated = [(event.data.version, event.data.state, event.data.own_card_hashes) for event in await told(database)]
    assert stated == [(1, "active", (CARD_HASH,)), (2, "left", ()), (3, "active", (CARD_HASH,)), (4, "active", ())]
    log = (await client.get("/v1/audit-log", params={"author": author}, headers=bearing("audit:read"))).json()["items"]
    assert [each["action"] for each in reversed(log)] == ["operator.registered", *["operator.changed"] * 3]
    assert {each["subject"] for each in log} == {f"acme/{OPERATOR_HASH}"}
    assert log[0]["before"]["has_own_card"] is True
    assert log[0]["after"] == {"partner_id": "acme", "state": "active", "version": 4, "has_own_card": False}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "operator_id"),
        ({"operator_id": ""}, "/operator_id"),
        ({"operator_id": 7}, "/operator_id"),
        ({"operator_id": "7", "own_card": "x"}, "/own_card"),
        ({"operator_id": "7", "name": "Ann"}, "/name"),
    ],
)
async def test_what_cannot_be_registered_is_refused_by_field(
    client: Client, body: dict[str, object], pointer: str
) -> None:
    answer = await client.post(OPERATORS, json=body, headers=bearing("operators:write"))
    assert answer.status_code == 422
    assert pointer in answer.text


async def test_refusals_of_batches_and_changes(client: Client) -> None:
    await register(client)
    write = bearing("operators:write")
    twice = {"operators": [{"operator_id": "7"}, {"operator_id": " 7"}]}
    assert (await client.post(f"{OPERATORS}:batch", json=twice, headers=write)).status_code == 422
    bad = {"operators": [{"operator_id": "7"}, {"operator_id": "8", "own_card": "no card!"}]}
    refused = await client.post(f"{OPERATORS}:batch", json=bad, headers=bearing("operators:write"))
    assert (refused.status_code, "/operators/1/own_card" in refused.text, "no card!" in refused.text) == (
        422,
        True,
        False,
    )
    assert (await patch(client, 1)).status_code == 422
    assert (await patch(client, 9, state="left")).status_code == 412
    path = f"{OPERATORS}/{OPERATOR_HASH}"
    assert (await client.patch(path, json={"state": "left"}, headers=write)).status_code == 428
    assert (await client.get(f"{OPERATORS}/{STAFF_NUMBER}", headers=bearing())).status_code == 422


async def test_nobody_is_found_who_is_not_there_or_anothers(client: Client) -> None:
    await register(client)
    unknown = f"{OPERATORS}/{OPERATOR_HASH[:-1]}_"
    elsewhere = f"/v1/partners/bolt/operators/{OPERATOR_HASH}"
    for path in (unknown, elsewhere, "/v1/partners/none/operators", f"/v1/partners/none/operators/{OPERATOR_HASH}"):
        assert (await client.get(path, headers=bearing())).status_code == 404, path
    for path in (unknown, elsewhere):
        refused = await client.patch(path, json={"state": "left"}, headers=bearing() | {"If-Match": '"1"'})
        assert refused.status_code == 404
    headers = bearing("operators:write")
    none = "/v1/partners/none/operators"
    assert (await client.post(none, json={"operator_id": "7"}, headers=headers)).status_code == 404
    assert (await register(client, partner_id="bolt", client_id="bolt-hq")).status_code == 404
    assert (await register(client, partner_id="acme", client_id="acme-hr")).status_code == 409


async def test_an_erased_members_card_is_nobodys_own_card_any_more(client: Client, database: Database) -> None:
    await register(client)
    body = {"operator_id": "2", "own_card": "ZZ99"}
    other = (await client.post(OPERATORS, json=body, headers=bearing("operators:write"))).json()["operator_hash"]

    await erase(database, erased(member(1), CARD_HASH), erased(member(2)))

    last = (await told(database))[-1]
    assert (last.data.operator_hash, last.data.version, last.data.own_card_hashes) == (OPERATOR_HASH, 2, ())
    answers = {
        each: (await client.get(f"{OPERATORS}/{each}", headers=bearing())).json()["has_own_card"]
        for each in (OPERATOR_HASH, other)
    }
    assert answers == {OPERATOR_HASH: False, other: True}
    async with database.transaction() as transaction:
        assert CARD_HASH not in str(await transaction.raw.fetch("select * from operators"))

    # The card is named anew: somebody else's, whatever the erasure's replay says.
    assert (await patch(client, 2, own_card=CARD)).status_code == 200
    count = len(await told(database))
    await erase(database, erased(member(1), CARD_HASH))
    assert len(await told(database)) == count
    assert json.loads((await client.get(f"{OPERATORS}/{OPERATOR_HASH}", headers=bearing())).text)["has_own_card"]


async def test_a_card_that_is_being_named_while_its_member_is_erased_goes_too(
    client: Client, database: Database
) -> None:
    await register(client)
    assert (await patch(client, 1, own_card=None)).status_code == 200
    named = OperatorChange(own_card_hashes=(CARD_HASH,))

    async def name_it(transaction: Transaction) -> None:
        await change_operator(transaction, "acme", OPERATOR_HASH, named, expected_version=2, author="hr")

    await interleave(database, name_it, lambda erasing: erase_members(erasing, [erased(member(3), CARD_HASH)]))

    stated = [(event.data.version, event.data.own_card_hashes) for event in await told(database)]
    assert stated == [(1, (CARD_HASH,)), (2, ()), (3, (CARD_HASH,)), (4, ())]


async def test_two_who_register_one_operator_are_told_apart(client: Client, database: Database) -> None:
    answers = await asyncio.gather(*(register(client) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert len(await told(database)) == 1


async def test_cards_under_a_key_that_is_valid_no_more_are_let_go_at_a_start(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No erasure would name such a hash any more."""
    monkeypatch.setattr(retiring, "RETIRED_PAGE_MAX", 2)
    newer = hash_identifier(IdentifierType.CARD, "QX77001122", IdentifierKey(2, KEY.secret))
    rows = [
        Operator("acme", f"1.{number:043}", own_card_hashes=cards)
        for number, cards in enumerate([(CARD_HASH,), (CARD_HASH, newer), (newer,), (), (CARD_HASH,)])
    ]
    await database.run(lambda transaction: register_operators(transaction, "acme", rows, "hr"))

    for oldest in (1, 2, 2, 1):
        await retire_own_cards(database, oldest)

    after = [event.data for event in (await told(database))[len(rows) :]]
    assert sorted((data.operator_hash, data.version, data.own_card_hashes) for data in after) == [
        (rows[0].operator_hash, 2, ()),
        (rows[1].operator_hash, 2, (newer,)),
        (rows[4].operator_hash, 2, ()),
    ]
    async with database.transaction() as transaction:
        assert CARD_HASH not in str(await transaction.raw.fetch("select * from operators"))
