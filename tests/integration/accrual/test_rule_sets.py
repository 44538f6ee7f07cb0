"""Rule sets over HTTP: two people, a time ahead, and a history that nobody rewrites."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx2
import pytest

from services.accrual.repository import parked
from services.accrual.use_cases.sweep_parked import sweep_parked
from shared.database import Database
from tests.support.accrual import Accrual
from tests.support.receipts import NOON, enrolled, member, purchase
from tests.support.registries import bearing
from tests.support.rule_sets import (
    APPROVER,
    AUTHOR,
    act,
    approved,
    drafted,
    publish,
    published,
    retire,
    rules_document,
    slug,
    state_of,
    submitted,
)

ANNA = member(1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(client_without_rules: httpx2.AsyncClient) -> httpx2.AsyncClient:
    return client_without_rules


@pytest.fixture
def database(accrual_database: Database) -> Database:
    return accrual_database


def ahead(**units: float) -> datetime:
    return datetime.now(UTC) + timedelta(**units)


async def test_a_rule_set_goes_from_draft_to_force_by_two_people_and_its_history_tells(
    client: httpx2.AsyncClient,
) -> None:
    path = await drafted(client, rules_document(1))
    read = await client.get(path, headers=bearing("rules:read"))
    changed = await client.put(
        path, json=rules_document(2), headers=bearing(client_id="carol") | {"If-Match": read.headers["ETag"]}
    )
    assert (changed.status_code, changed.json()["authors"], changed.headers["ETag"]) == (200, [AUTHOR, "carol"], '"2"')
    assert (await act(client, path, "submit", AUTHOR)).json()["state"] == "submitted"
    refused = await act(client, path, "refuse", APPROVER, {"reason": "two points are too many"})
    assert (refused.status_code, refused.json()["state"]) == (200, "draft")
    assert (await act(client, path, "submit", AUTHOR)).status_code == 200
    assert (await act(client, path, "approve", APPROVER)).json()["approved_by"] == APPROVER
    assert (await publish(client, path, LONG_AGO)).json()["version"] == 1

    told = (await client.get("/v1/rule-sets/1", headers=bearing("rules:read"))).json()
    assert (told["state"], told["revision"], told["published_by"]) == ("in_force", 7, APPROVER)
    assert told["document"]["rules"][0]["effect"]["points"] == 2
    assert told == (await client.get(path, headers=bearing())).json()
    first = (await client.get(f"{path}/history?limit=4", headers=bearing("rules:read"))).json()
    rest = await client.get(f"{path}/history?cursor={first['next_cursor']}", headers=bearing("rules:read"))
    steps = first["items"] + rest.json()["items"]
    assert [(step["action"], step["author"]) for step in steps] == [
        ("drafted", AUTHOR),
        ("changed", "carol"),
        ("submitted", AUTHOR),
        ("refused", APPROVER),
        ("submitted", AUTHOR),
        ("approved", APPROVER),
        ("published", APPROVER),
    ]
    assert [step["reason"] for step in steps if step["reason"]] == ["two points are too many"]
    assert len({step["document_sha256"] for step in steps}) == 2
    assert (steps[-1]["version"], steps[-1]["effective_from"]) == (1, "2020-01-01T00:00:00Z")


async def test_nobody_decides_on_what_they_wrote_changed_or_submitted(client: httpx2.AsyncClient) -> None:
    path = await drafted(client, rules_document(1), "alice")
    change = bearing(client_id="carol") | {"If-Match": '"1"'}
    assert (await client.put(path, json=rules_document(2), headers=change)).status_code == 200
    assert (await act(client, path, "submit", "dave")).status_code == 200
    for author in ("alice", "carol", "dave"):
        assert slug(await act(client, path, "approve", author)) == (403, "own-draft")
        assert slug(await act(client, path, "refuse", author, {"reason": "no"})) == (403, "own-draft")
    assert (await act(client, path, "approve", APPROVER)).status_code == 200
    for author in ("alice", "carol", "dave"):
        assert slug(await publish(client, path, ahead(days=1), author)) == (403, "own-draft")
        assert slug(await retire(client, path, author)) == (403, "own-draft")


async def test_each_step_begins_where_the_one_before_it_ends(client: httpx2.AsyncClient) -> None:
    path = await drafted(client, rules_document())
    for refused in (
        await act(client, path, "approve", APPROVER),
        await act(client, path, "refuse", APPROVER, {"reason": "no"}),
        await publish(client, path, LONG_AGO),
        await retire(client, path),
    ):
        assert slug(refused) == (409, "rule-set-state")
    await act(client, path, "submit", AUTHOR)
    unread = bearing() | {"If-Match": '"1"'}
    assert slug(await client.put(path, json=rules_document(9), headers=unread)) == (412, "version-changed")
    read = bearing() | {"If-Match": '"2"'}
    assert slug(await client.put(path, json=rules_document(9), headers=read)) == (409, "rule-set-state")
    nothing = "/v1/rule-sets/01936f00-0000-7000-8000-0000000000c1"
    assert slug(await act(client, nothing, "submit", AUTHOR)) == (404, "not-found")


async def test_the_database_keeps_a_submitted_document_and_the_history(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await published(client, rules_document(), LONG_AGO)
    for statement, error in (
        ("update rule_sets set document = '{}'", asyncpg.CheckViolationError),
        ("update rule_sets set effective_from = effective_from + interval '1 day'", asyncpg.CheckViolationError),
        ("update rule_sets set approved_by = 'alice'", asyncpg.CheckViolationError),
        ("update rule_set_changes set author = 'bob'", asyncpg.InsufficientPrivilegeError),
        ("delete from rule_set_changes", asyncpg.InsufficientPrivilegeError),
    ):
        with pytest.raises(error):
            async with database.transaction() as transaction:
                await transaction.raw.execute(statement)


async def test_only_the_first_may_reach_back_and_no_two_take_effect_at_once(client: httpx2.AsyncClient) -> None:
    await published(client, rules_document(1), LONG_AGO)
    path = await approved(client, rules_document(2))
    assert slug(await publish(client, path, ahead(seconds=55))) == (422, "published-too-late")
    tomorrow = ahead(days=1)
    assert (await publish(client, path, tomorrow)).json()["version"] == 2
    other = await approved(client, rules_document(3))
    assert slug(await publish(client, other, tomorrow)) == (409, "effective-time-taken")
    assert slug(await publish(client, path, ahead(days=2))) == (409, "rule-set-state")


async def test_what_has_not_begun_is_withdrawn_and_workers_hear_of_it(
    client: httpx2.AsyncClient, database: Database
) -> None:
    worker = Accrual(database)
    await published(client, rules_document(1), LONG_AGO)
    path = await published(client, rules_document(2), tomorrow := ahead(days=1))
    async with database.transaction() as transaction:
        await worker.rules.refresh(transaction)
    judging = worker.rules.history.at(tomorrow)
    assert judging is not None
    assert judging.version == 2

    assert (await retire(client, path)).json()["state"] == "withdrawn"

    async with database.transaction() as transaction:
        await worker.rules.refresh(transaction)
    judging = worker.rules.history.at(tomorrow)
    assert judging is not None
    assert judging.version == 1
    assert worker.rules.history.version(2).rules[0].name == "2 a dollar"  # a clock that ran ahead: its returns
    again = await approved(client, rules_document(3))
    assert (await publish(client, again, tomorrow)).json()["version"] == 3
    assert await state_of(client, "/v1/rule-sets/1") == "in_force"


async def test_a_version_in_force_needs_a_successor_to_be_retired_which_then_stays(
    client: httpx2.AsyncClient,
) -> None:
    first = await published(client, rules_document(1), LONG_AGO)
    assert slug(await retire(client, first)) == (409, "no-successor")
    second = await published(client, rules_document(2), ahead(days=1))
    assert (await retire(client, first)).json()["state"] == "retired"
    assert await state_of(client, first) == "in_force"
    assert slug(await retire(client, second)) == (409, "no-successor")
    assert slug(await retire(client, first)) == (409, "rule-set-state")


async def test_an_approved_rule_set_that_nobody_wants_any_more_is_withdrawn(client: httpx2.AsyncClient) -> None:
    path = await approved(client, rules_document())
    assert (await retire(client, path)).json()["state"] == "withdrawn"
    assert slug(await publish(client, path, LONG_AGO)) == (409, "rule-set-state")


async def test_two_approvers_at_once_approve_once(client: httpx2.AsyncClient) -> None:
    path = await submitted(client, rules_document())
    answers = await asyncio.gather(*(act(client, path, "approve", who) for who in ("bob", "carol", "dave")))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    steps = (await client.get(f"{path}/history", headers=bearing())).json()["items"]
    assert [step["action"] for step in steps].count("approved") == 1


async def test_approval_against_refusal_one_wins(client: httpx2.AsyncClient) -> None:
    path = await submitted(client, rules_document())
    answers = await asyncio.gather(
        act(client, path, "approve", "bob"), act(client, path, "refuse", "carol", {"reason": "no"})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (won,) = (answer.json()["state"] for answer in answers if answer.is_success)
    assert await state_of(client, path) == won


async def test_publication_against_retirement_leaves_the_predecessor_with_a_successor_or_in_force(
    client: httpx2.AsyncClient,
) -> None:
    first = await published(client, rules_document(1), LONG_AGO)
    second = await published(client, rules_document(2), ahead(days=1))
    third = await approved(client, rules_document(3))
    answers = await asyncio.gather(
        publish(client, third, ahead(days=2)),
        retire(client, third, "carol"),
        retire(client, first, "dave"),
        retire(client, second, "erin"),
    )
    states = [await state_of(client, path) for path in (first, second, third)]
    # Whoever came first: either version 1 is retired and version 2 stays, or version 2 is withdrawn and 1 is not.
    retired_first, withdrew_second = answers[2].is_success, answers[3].is_success
    assert states[1] == ("withdrawn" if withdrew_second else "scheduled")
    if not withdrew_second:
        assert retired_first
    if withdrew_second and retired_first:  # the third came before both, and follows the first
        assert states[2] == "scheduled"
    assert answers[1].is_success or states[2] == "scheduled"


async def test_a_receipt_from_before_all_rules_waits_and_is_let_go_by_the_first_that_reaches_back(
    client: httpx2.AsyncClient, database: Database
) -> None:
    worker = Accrual(database)
    await worker.begin(rule_set=None)
    await worker.members(enrolled(ANNA))
    assert (await worker.award(purchase(1, 1000, owner=ANNA))).parked == {"no_rules_in_force": 1}
    scheduled = await published(client, rules_document(1), ahead(days=1))
    async with database.transaction() as transaction:
        assert await sweep_parked(transaction) == 0  # what will be in force tomorrow is no counterpart
    assert await worker.released() == []
    assert (await retire(client, scheduled)).status_code == 200
    await published(client, rules_document(2), NOON - timedelta(days=1))
    (released,) = await worker.released()
    assert (await worker.award(released)).points == 20


async def test_receipts_older_than_the_first_rule_set_stay_where_they_wait(
    client: httpx2.AsyncClient, database: Database
) -> None:
    worker = Accrual(database)
    await worker.begin(rule_set=None)
    await worker.members(enrolled(ANNA))
    early, late = (purchase(number, 1000, owner=ANNA, occurred_at=NOON + timedelta(hours=number)) for number in (1, 3))
    await worker.award(early, late)
    await published(client, rules_document(), NOON + timedelta(hours=2))
    assert [event.data.receipt_id for event in await worker.released()] == [late.data.receipt_id]
    async with database.transaction() as transaction:
        assert await sweep_parked(transaction) == 0
        assert await parked.find_stranded(transaction) == []


async def test_partners_read_what_is_published_and_change_nothing(client: httpx2.AsyncClient) -> None:
    own = bearing(partner_id="grocer")
    path = await drafted(client, rules_document())
    assert slug(await client.get(path, headers=own)) == (404, "not-found")
    assert (await client.get("/v1/rule-sets", headers=own)).json()["items"] == []
    assert slug(await client.post("/v1/rule-sets", json=rules_document(), headers=own)) == (403, "programme-only")
    public = await published(client, rules_document(2), LONG_AGO)
    assert (await client.get(public, headers=bearing("rules:read", partner_id="grocer"))).status_code == 200
    assert slug(await client.get(f"{public}/history", headers=own)) == (404, "not-found")
    listed = await client.get("/v1/rule-sets?limit=1", headers=bearing("rules:read"))
    rest = await client.get(f"/v1/rule-sets?cursor={listed.json()['next_cursor']}", headers=bearing("rules:read"))
    assert [each["state"] for each in listed.json()["items"] + rest.json()["items"]] == ["in_force", "draft"]


async def test_writing_and_approving_are_different_scopes(client: httpx2.AsyncClient) -> None:
    path = await submitted(client, rules_document())
    for action, body in (("approve", None), ("refuse", {"reason": "no"}), ("retire", {"reason": "no"})):
        answer = await client.post(f"{path}/{action}", json=body, headers=bearing("rules:write", client_id=APPROVER))
        assert slug(answer) == (403, "missing-scope")
    answer = await client.post("/v1/rule-sets", json=rules_document(), headers=bearing("rules:approve"))
    assert slug(answer) == (403, "missing-scope")
