"""Member events over HTTP and by time, on the real database: each once for ever, limits exact, undone by claw-back."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.accrual.use_cases import celebrate_members
from services.accrual.use_cases.celebrate_members import celebrate_due_day
from shared.database import Transaction
from shared.events.member_events import MemberEventRecorded, MemberEventRevoked
from shared.ledger import Balances, SpendLate, post
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import Client, slug
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import verified
from tests.support.member_events import approved, erased, joined_at, status_changed
from tests.support.receipts import enrolled, merged_into
from tests.support.registries import bearing

SOURCE = "survey-tool"
SURVEY: dict[str, Any] = {
    "sources": [SOURCE],
    "payload": {
        "properties": {"survey": {"type": "string"}, "answers": {"type": "integer", "maximum": 40}},
        "required": ["survey", "answers"],
    },
    "key": ["survey"],
    "points": {"kind": "per_step", "property": "answers", "step": 5, "points": 10, "points_max": 60},
}
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
async def type_code(client: Client) -> str:
    """A type of surveys of this test's own."""
    return await declared(client)


async def declared(client: Client, code: str | None = None, **changes: Any) -> str:
    code = code or f"type-{uuid4().hex[:8]}"
    body = SURVEY | {"effective_from": LONG_AGO} | changes
    answer = await client.post(f"/v1/member-event-types/{code}", json=body, headers=bearing("rules:write"))
    assert answer.status_code == 201, answer.text
    await approved(client, code, answer.json()["version"])
    return code


async def told(
    client: Client, code: str, member_id: UUID, survey: str = "spring", answers: int = 12, **said: Any
) -> httpx2.Response:
    body = {
        "type": code,
        "member_id": str(member_id),
        "occurred_at": datetime.now(UTC).isoformat(),
        "payload": {"survey": survey, "answers": answers},
    }
    return await client.post(
        "/v1/member-events", json=body | said, headers=bearing("member-events:write", client_id=SOURCE)
    )


async def revoked(client: Client, code: str, member_id: UUID, survey: str = "spring") -> httpx2.Response:
    body = {"type": code, "member_id": str(member_id), "key": {"survey": survey}, "reason_code": "invented"}
    return await client.post(
        "/v1/member-events:revoke", json=body, headers=bearing("member-events:write", client_id=SOURCE)
    )


async def story(client: Client, event_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (
        await client.get(f"/v1/member-events/{event_id}", headers=bearing("member-events:read"))
    ).json()
    return found


async def test_an_event_gives_what_its_type_says_and_says_why(
    client: Client, module_accrual: Accrual, anna: UUID, type_code: str
) -> None:
    answer = await told(client, type_code, anna)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["state"], answer.json()["points"]) == ("awarded", 20)
    assert await module_accrual.balance(anna) == Balances(available=20)
    (event,) = await module_accrual.drain()
    assert isinstance(event, MemberEventRecorded)
    assert (event.data.member_id, event.data.points, event.data.type_code) == (anna, 20, type_code)
    assert "spring" not in event.to_bytes().decode()
    words = (await story(client, answer.json()["event_id"]))["trace_in_words"]
    assert words[0].endswith("12 // 5 * 10 = 20.")
    assert words[1] == "In all: 20 points."


async def test_told_again_it_changes_nothing_and_otherwise_it_is_a_conflict(
    client: Client, module_accrual: Accrual, anna: UUID, type_code: str
) -> None:
    first = await told(client, type_code, anna)
    again, other = await told(client, type_code, anna), await told(client, type_code, anna, answers=40)
    at_once = await asyncio.gather(*(told(client, type_code, anna, survey="autumn") for _ in range(6)))

    assert (again.status_code, again.json()) == (201, first.json())
    assert slug(other) == (409, "member-event-conflict")
    assert {answer.status_code for answer in at_once} == {201}
    assert await module_accrual.balance(anna) == Balances(available=40)


async def test_what_is_told_wrongly_is_refused_at_its_field(client: Client, anna: UUID, type_code: str) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for answer, refusal in (
        (await told(client, "no-such-type", anna), (404, "not-found")),
        (await told(client, type_code, anna, answers=41), (422, "unusable-payload")),
        (await told(client, type_code, anna, payload={"survey": "spring"}), (422, "unusable-payload")),
        (await told(client, type_code, anna, payload={"survey": "has spaces", "answers": 1}), (422, "invalid-request")),
        (await told(client, type_code, anna, occurred_at=ahead), (422, "unusable-payload")),
        (await told(client, type_code, new_member()), (409, "member-not-ready")),
    ):
        assert slug(answer) == refusal, answer.text
    stranger = bearing("member-events:write", client_id="somebody-else")
    body = {"type": type_code, "member_id": str(anna), "occurred_at": LONG_AGO, "payload": {}}
    assert slug(await client.post("/v1/member-events", json=body, headers=stranger)) == (404, "not-found")
    url = f"/v1/member-event-types/{type_code}"
    other_key = await client.post(url, json=SURVEY | {"key": []}, headers=bearing("rules:write"))
    assert slug(other_key) == (409, "unusable-successor")
    broken = await client.post(url, json=SURVEY | {"sources": []}, headers=bearing("rules:write"))
    assert slug(broken) == (422, "invalid-request")


async def test_a_limit_is_exact_also_where_many_come_at_once_and_what_was_undone_makes_room(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    code = await declared(client, limit={"events_max": 2, "period": "month"})
    answers = await asyncio.gather(*(told(client, code, anna, survey=f"s{number}") for number in range(6)))

    by_state = {state: [a.json() for a in answers if a.json()["state"] == state] for state in ("awarded", "refused")}
    assert [len(some) for some in by_state.values()] == [2, 4]
    assert {each["refused_because"] for each in by_state["refused"]} == {"limit_reached"}
    assert await module_accrual.balance(anna) == Balances(available=40)

    await revoked(client, code, anna, by_state["awarded"][0]["payload"]["survey"])
    assert (await told(client, code, anna, survey="later")).json()["state"] == "awarded"
    assert await module_accrual.balance(anna) == Balances(available=40)


async def test_undone_it_is_taken_back_and_what_was_spent_is_owed(
    client: Client, module_accrual: Accrual, anna: UUID, type_code: str
) -> None:
    event_id = (await told(client, type_code, anna, answers=40)).json()["event_id"]
    async with module_accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(anna, "points", b"tender", 45, "fuel")])
    await module_accrual.drain()

    first, again = await revoked(client, type_code, anna), await revoked(client, type_code, anna)

    assert (first.json()["state"], first.json()["became_debt"]) == ("revoked", 45)
    assert again.json() == first.json()
    assert await module_accrual.balance(anna) == Balances(debt=45)
    (event,) = await module_accrual.drain()
    assert isinstance(event, MemberEventRevoked)
    assert (event.data.points, event.data.became_debt, event.data.reason_code) == (60, 45, "invented")
    assert (await told(client, type_code, anna, answers=40)).json()["state"] == "revoked"
    assert (await story(client, event_id))["trace_in_words"][
        -1
    ] == "Undone (invented): 60 points taken back, 45 of them owed."


async def test_undone_before_it_was_told_of_it_never_gives_anything(
    client: Client, module_accrual: Accrual, anna: UUID, type_code: str
) -> None:
    assert (await revoked(client, type_code, anna)).json()["state"] == "revoked"
    assert (await told(client, type_code, anna)).json()["state"] == "revoked"
    assert await module_accrual.balance(anna) == Balances()


async def test_an_event_is_one_under_any_id_of_who_was_merged_and_limits_count_both(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    code = await declared(client, limit={"events_max": 2, "period": "ever"})
    anne = new_member()
    await module_accrual.members(enrolled(anne))
    await told(client, code, anne, survey="before")
    await told(client, code, anna, survey="own")
    await module_accrual.members(merged_into(anna, anne))

    again = [await told(client, code, each, survey="before") for each in (anna, anne)]
    third = await told(client, code, anne, survey="third")

    assert {answer.json()["member_id"] for answer in again} == {str(anne)}
    assert third.json()["refused_because"] == "limit_reached"
    assert await module_accrual.balance(anna) == Balances(available=40)
    assert (await revoked(client, code, anna, "before")).json()["state"] == "revoked"
    assert await module_accrual.balance(anna) == Balances(available=20)


async def test_a_version_judges_what_happened_since_and_a_member_who_left_is_given_nothing(
    client: Client, module_accrual: Accrual, anna: UUID, type_code: str
) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    await declared(
        client, type_code, points={"kind": "fixed", "points": 500}, effective_from=datetime.now(UTC).isoformat()
    )
    late = await told(client, type_code, anna, survey="late", occurred_at=yesterday)
    assert (late.json()["type_version"], late.json()["points"]) == (1, 20)
    assert (await told(client, type_code, anna, survey="new")).json()["points"] == 500
    too_late = await told(client, type_code, anna, survey="old", occurred_at="2021-01-01T00:00:00Z")
    assert too_late.json()["refused_because"] == "too_late"

    await module_accrual.members(status_changed(anna, "suspended"))
    assert slug(await told(client, type_code, anna, survey="x")) == (409, "member-not-ready")
    await module_accrual.members(status_changed(anna, "closed", version=3))
    assert (await told(client, type_code, anna, survey="x")).json()["refused_because"] == "member_closed"


async def test_an_erased_members_payloads_and_days_are_forgotten_and_the_export_tells_them_before(
    client: Client, module_accrual: Accrual, anna: UUID, type_code: str
) -> None:
    await told(client, type_code, anna)
    data = await client.get(f"/v1/members/{anna}/data", headers=bearing("members:data"))
    (item,) = data.json()["items"]
    assert (item["kind"], item["payload"]) == ("member_event", {"survey": "spring", "answers": 12})

    await module_accrual.members(erased(anna))
    await module_accrual.members(enrolled(anna))

    async with module_accrual.database.transaction() as transaction:
        assert (
            await transaction.raw.fetchval("select payload::text from member_events where member_id = $1", anna) == "{}"
        )
        assert await transaction.raw.fetchval("select count(*) from member_days where member_id = $1", anna) == 0


def timed(trigger: str, points: int, begins: datetime) -> dict[str, Any]:
    return {
        "trigger": trigger,
        "sources": [],
        "payload": {},
        "key": [],
        "points": {"kind": "fixed", "points": points},
        "effective_from": begins.isoformat(),
    }


async def test_who_enrols_is_welcomed_once_for_ever_and_who_brought_somebody_is_thanked(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    begins = datetime(2031, 1, 1, tzinfo=UTC)  # nobody else's enrolment in this module counts
    await declared(client, "welcome", **timed("enrolment", 100, begins))
    await declared(client, "brought", **timed("referral", 30, begins) | {"limit": {"events_max": 2, "period": "year"}})
    news = [joined_at(new_member(), begins + timedelta(hours=number), referred_by=anna) for number in range(3)]
    early = joined_at(new_member(), begins - timedelta(days=1), referred_by=anna)

    await module_accrual.members(*news, early)
    await module_accrual.members(*news, early)
    for event in news:
        await module_accrual.members(event)

    assert [await module_accrual.balance(event.data.member_id) for event in news] == [Balances(available=100)] * 3
    assert await module_accrual.balance(early.data.member_id) == Balances()
    assert await module_accrual.balance(anna) == Balances(available=60)
    told_of = [event for event in await module_accrual.drain() if isinstance(event, MemberEventRecorded)]
    assert [event.data.type_code for event in told_of].count("welcome") == 3
    assert [event.data.refusal for event in told_of if event.data.type_code == "brought"] == [
        None,
        None,
        "limit_reached",
    ]


async def test_days_of_the_year_are_kept_in_order_page_by_page_and_once_a_year(
    client: Client, module_accrual: Accrual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(celebrate_members, "MEMBERS_PER_PAGE", 2)
    today = datetime.now(PROGRAMME.zone).date()
    # The last 1 March of a common year: who was born on 29 February has a birthday on it.
    common = [year for year in range(today.year - 4, today.year + 1) if year % 4]
    march = max(day for year in common if (day := date(year, 3, 1)) < today)
    before = datetime(march.year, 2, 26, 12, tzinfo=PROGRAMME.zone)
    joined_on = datetime(2016, 2, 29, 12, tzinfo=PROGRAMME.zone)
    leap = [new_member() for _ in range(3)]
    other, gone = new_member(), new_member()
    await module_accrual.members(
        *(joined_at(each, joined_on, birth_month=2, birth_day=29) for each in leap),
        joined_at(other, before, birth_month=2, birth_day=28),
        joined_at(gone, joined_on, birth_month=2, birth_day=29),
        status_changed(gone, "closed"),
    )
    await declared(client, "birthday", **timed("birthday", 50, before))
    await declared(client, "anniversary", **timed("anniversary", 7, before))

    for _ in range(4):  # a few pages, and then it is cut off
        await module_accrual.database.run(partial(celebrate_due_day, programme=PROGRAMME, rules=module_accrual.rules))
    await catch_up(module_accrual, march + timedelta(days=1))
    await declared(client, "birthday", points={"kind": "fixed", "points": 50}, **_again("birthday", before))
    await catch_up(module_accrual, march + timedelta(days=1))

    assert [await module_accrual.balance(each) for each in leap] == [Balances(available=57)] * 3
    assert await module_accrual.balance(other) == Balances(available=50)
    assert await module_accrual.balance(gone) == Balances()
    kept = [event.data for event in await module_accrual.drain() if isinstance(event, MemberEventRecorded)]
    birthdays = [data.occurred_at for data in kept if data.member_id in leap and data.type_code == "birthday"]
    on = {at.astimezone(PROGRAMME.zone).date() for at in birthdays}
    assert on == {march}


def _again(trigger: str, begins: datetime) -> dict[str, Any]:
    return {key: value for key, value in timed(trigger, 0, begins).items() if key != "points"}


async def catch_up(accrual: Accrual, until_day: date) -> None:
    """Several workers at once, up to a day; then that day is begun again, as if the last commits were lost."""

    async def work() -> None:
        while await _next_day(accrual) <= until_day:
            await accrual.database.run(partial(celebrate_due_day, programme=PROGRAMME, rules=accrual.rules))

    await asyncio.gather(work(), work())
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute("update member_event_days set next_day = next_day - 4, after_member = null")
    await work()


async def _next_day(accrual: Accrual) -> date:
    async def read(transaction: Transaction) -> date:
        found: date = await transaction.raw.fetchval("select min(next_day) from member_event_days")
        return found

    return await accrual.database.run(read)


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
