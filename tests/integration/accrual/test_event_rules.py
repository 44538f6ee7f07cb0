"""Member events through the rules, on the real tables: caps that purchases share, budgets, waits, what is undone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import UUID

import httpx2
import pytest

from services.accrual.use_cases.balance_caps import BalanceMovedError
from services.accrual.use_cases.celebrate_members import celebrate_due_day
from services.accrual.use_cases.show_receipt import show_receipt
from services.accrual.use_cases.tell_member_event import tell_member_event
from shared.database import Transaction
from shared.database.roles import role_name
from shared.events.member_events import MemberEventRecorded, MemberEventRevoked, MemberEventSettled
from shared.ledger import Balances, Earn, LotTerms, SpendLate, post
from shared.receipt_key import natural_key_of
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual, published_before
from tests.support.accrual_members import joined, new_member
from tests.support.accrual_tiers import publish
from tests.support.adjusting import Client, slug
from tests.support.applications import application
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances, rule, rule_set
from tests.support.event_rules import (
    BONUS,
    BUDGET,
    BY_TIME,
    CAP,
    OF_EVENTS,
    RULES,
    SAID,
    SURVEY,
    TYPE,
    WAITING,
    declare,
    of_code,
    revoked,
    story,
    told,
)
from tests.support.interleaving import interleave
from tests.support.ledger_database import verified
from tests.support.member_events import approved, erased, joined_at
from tests.support.moving_clock import NEW_YORK, MovingClock
from tests.support.pending_points import bought, run_releases
from tests.support.receipts import enrolled, line, merged_into
from tests.support.registries import bearing
from tests.support.tiers import scheme


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, zone=NEW_YORK) as accrual:
        yield accrual


@pytest.fixture(scope="module")
async def client(module_database: FreshDatabase, accrual: Accrual) -> AsyncIterator[httpx2.AsyncClient]:
    assert accrual.rules.history.begins_at is not None
    async with application("accrual", module_database.url(role_name("accrual"))) as app:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            for code in (SURVEY, WAITING, BONUS):
                await declare(client, code)
            yield client


@pytest.fixture
async def at(clock: MovingClock) -> datetime:
    """When this test's events happen, on a day of their own."""
    await clock.next_noon()
    return await clock.now()


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def test_an_event_earns_by_the_rules_and_says_why(
    client: Client, accrual: Accrual, at: datetime, anna: UUID
) -> None:
    """12 answers: 2 full fives of 10 points. Another 50% on them. And 5 status points for the survey of spring."""
    preview = await client.post(
        "/v1/member-events:preview",
        json=of_code(SURVEY, anna, at, answers=12),
        headers=bearing("member-events:write", client_id="survey-tool"),
    )
    answer = await told(client, SURVEY, anna, at, answers=12)

    assert (preview.status_code, preview.json()["points"]) == (200, 30), preview.text
    assert (answer.status_code, answer.json()["state"], answer.json()["points"]) == (201, "awarded", 30), answer.text
    assert await balances(accrual, anna) == Balances(available=30)
    assert await balances(accrual, anna, "status") == Balances(available=5)
    (event,) = [one for one in await accrual.drain() if isinstance(one, MemberEventRecorded)]
    assert (event.data.points, event.data.rule_set_version) == (30, 1)
    assert [(part.point_type, part.points, part.part.basis) for part in event.data.parts] == [
        ("points", 30, "gift"),
        ("status", 5, "gift"),
    ]
    assert "spring" not in event.to_bytes().decode()
    whole = await story(client, answer.json()["event_id"])
    assert (
        whole["trace_in_words"]
        == preview.json()["trace_in_words"]
        == [
            "Judged by rule set 1.",
            f"It is an event of type {SURVEY}, which says answers 12, survey spring.",
            "“answers”: 10 points for each full 5 of answers gives 20, rounded down to 20 points.",
            "“plus”: 150% on what the event gave adds 10, rounded down to 10 points.",
            "“season”: an event gives 5, rounded down to 5 status.",
            "In all: 30 points.",
        ]
    )
    assert whole["award"]["rule_set_version"] == 1
    data = await client.get(f"/v1/members/{anna}/data", headers=bearing("members:data"))
    assert [(item["kind"], item["by_rule"]) for item in data.json()["items"]] == [
        ("member_event", {"answers": 20, "plus": 10, "season": 5})
    ]
    autumn = await told(client, SURVEY, anna, at, survey="autumn", answers=4)
    assert (autumn.json()["state"], autumn.json()["points"]) == ("awarded", 0)
    assert (await story(client, autumn.json()["event_id"]))["trace_in_words"][2:4] == [
        "“answers” did not apply: answers must be at least 5, and was 4.",
        "“plus” did not apply: points to multiply must be more than 0, and was 0.",
    ]


async def test_a_cap_is_shared_with_purchases_to_the_last_point_whatever_comes_at_once(
    client: Client, accrual: Accrual, clock: MovingClock, at: datetime, anna: UUID
) -> None:
    """A hundred points a day of all rules: four surveys of 30 points and two receipts of 40 want 200."""
    receipts = [await bought(clock, anna, line(1, 4_000)) for _ in range(2)]
    surveys = (told(client, SURVEY, anna, at, survey=f"s{number}", answers=10) for number in range(4))

    awarding = asyncio.gather(*(accrual.award(one) for one in receipts))
    answers = await asyncio.gather(*surveys)
    await awarding

    assert (await balances(accrual, anna)).available == CAP
    given = sum(answer.json()["points"] for answer in answers)
    assert given >= CAP - 80
    again = await told(client, SURVEY, anna, at, survey="late", answers=10)
    assert again.json()["points"] == 0
    words = (await story(client, again.json()["event_id"]))["trace_in_words"]
    assert any("the cap of all rules of 100 points a day left 0 of 20" in sentence for sentence in words)

    undone = [await revoked(client, SURVEY, anna, f"s{number}") for number in range(4)]
    assert {answer.json()["state"] for answer in undone} == {"revoked"}
    assert (await balances(accrual, anna)).available == CAP - given
    third = await bought(clock, anna, line(1, 50_000))
    await accrual.award(third)
    assert (await balances(accrual, anna)).available == CAP
    async with accrual.database.transaction() as transaction:
        seen = await show_receipt(transaction, natural_key_of(third.data.receipt_id), accrual.rules)
    assert seen.award is not None
    assert seen.award.points == given


async def test_a_budget_is_given_to_the_last_point_and_what_is_undone_is_there_again(
    client: Client, accrual: Accrual, at: datetime, module_database: FreshDatabase
) -> None:
    crowd = [new_member() for _ in range(6)]
    await accrual.members(*(enrolled(each) for each in crowd))

    answers = await asyncio.gather(*(told(client, BONUS, each, at) for each in crowd))

    points = sorted(answer.json()["points"] for answer in answers)
    assert (sum(points), points[-1]) == (BUDGET, 40)
    winner = next(each for each, answer in zip(crowd, answers, strict=True) if answer.json()["points"] == 40)
    assert await told_again_changes_nothing(client, accrual, winner, at)
    await accrual.drain()
    first, again = [await revoked(client, BONUS, winner) for _ in range(2)]
    assert first.json() == again.json()
    (event,) = await accrual.drain()
    assert isinstance(event, MemberEventRevoked)
    assert [(part.number, part.points, part.became_debt) for part in event.data.parts] == [(0, 40, 0)]
    fresh = new_member()
    await accrual.members(enrolled(fresh))
    assert (await told(client, BONUS, fresh, at)).json()["points"] == 40
    assert (await verified(module_database)).is_sound


async def told_again_changes_nothing(client: Client, accrual: Accrual, member_id: UUID, at: datetime) -> bool:
    before = await balances(accrual, member_id)
    again = await told(client, BONUS, member_id, at)
    return again.json()["points"] == 40 and await balances(accrual, member_id) == before


async def test_what_waits_is_released_by_time_or_when_told_and_lapses_without(
    client: Client, accrual: Accrual, clock: MovingClock, day: date, anna: UUID, module_database: FreshDatabase
) -> None:
    """10 points wait for two days, 7 for a purchase, three days at most: then they lapse."""
    at = await clock.now()
    ids = [(await told(client, WAITING, anna, at, survey=f"w{number}")).json()["event_id"] for number in range(2)]
    assert await balances(accrual, anna) == Balances(pending=34)
    await accrual.drain()

    release = await client.post(
        f"/v1/member-events/{ids[0]}:release",
        json={"event": "bought"},
        headers=bearing("member-events:write", client_id="survey-tool"),
    )
    assert (release.status_code, release.json()["result"]) == (200, "released"), release.text
    assert await balances(accrual, anna) == Balances(available=7, pending=27)
    await clock.set_to(day + timedelta(days=2))
    await run_releases(accrual)
    await run_releases(accrual)
    assert await balances(accrual, anna) == Balances(available=27, pending=7)
    await clock.set_to(day + timedelta(days=4))
    await run_releases(accrual)
    assert await balances(accrual, anna) == Balances(available=27)

    settled = [one.data for one in await accrual.drain() if isinstance(one, MemberEventSettled)]
    assert [(one.outcome, one.reason, one.points) for one in settled] == [
        ("released", "bought", 7),
        ("released", "waits", 10),
        ("released", "waits", 10),
        ("lapsed", "bought", 7),
    ]
    assert {str(one.event_id) for one in settled} == set(ids)
    undone = await revoked(client, WAITING, anna, "w1")
    assert (undone.json()["state"], await balances(accrual, anna)) == ("revoked", Balances(available=17))
    parts = (await story(client, ids[1]))["award"]["parts"]
    assert [(part["state"], part["taken_back"]) for part in parts] == [("released", 10), ("lapsed", 0)]
    assert (await verified(module_database)).is_sound


async def test_undone_it_is_owed_where_it_was_spent_whoever_has_the_points_now(
    client: Client, accrual: Accrual, at: datetime, anna: UUID
) -> None:
    anne = new_member()
    await accrual.members(enrolled(anne))
    event_id = (await told(client, SURVEY, anna, at, answers=10)).json()["event_id"]
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(anna, "points", b"tender", 20, "fuel")])
    await accrual.members(merged_into(anna, anne))
    await accrual.members(erased(anna))

    undone = await revoked(client, SURVEY, anne)

    assert (undone.json()["event_id"], undone.json()["became_debt"]) == (event_id, 20)
    assert await balances(accrual, anne) == Balances(debt=20)
    assert await balances(accrual, anne, "status") == Balances()
    words = (await story(client, event_id))["trace_in_words"]
    assert words[:3] == ["“answers” gave 20.", "“plus” gave 10.", "“season” gave 5."]
    assert words[-1] == "Undone (invented): 30 points taken back, 20 of them owed."


async def test_what_events_give_counts_towards_tiers_until_it_is_undone(
    client: Client, accrual: Accrual, at: datetime, anna: UUID
) -> None:
    await publish(accrual, scheme(points_of="status"))

    async def counted() -> int:
        async with accrual.database.transaction() as transaction:
            statement = "select coalesce(sum(points), 0) from tier_days where member_id = $1"
            return int(await transaction.raw.fetchval(statement, anna))

    await told(client, SURVEY, anna, at, answers=1)
    assert await counted() == 5
    await revoked(client, SURVEY, anna)
    assert await counted() == 0


async def test_what_time_brings_earns_by_the_rules_too_once_its_type_is_approved(
    client: Client, accrual: Accrual, at: datetime
) -> None:
    today = at.astimezone(NEW_YORK).date()
    begins = datetime.combine(today, time(), NEW_YORK).isoformat()
    early, late = new_member(), new_member()
    version = await declare(client, "welcome", is_approved=False, trigger="enrolment", effective_from=begins, **BY_TIME)
    await accrual.members(joined_at(early, at, birth_month=today.month, birth_day=today.day))
    await approved(client, "welcome", version)
    for _ in range(2):
        await accrual.members(joined_at(late, at))
    assert [await balances(accrual, each) for each in (early, late)] == [Balances(), Balances(available=25)]

    await declare(client, "birthday", trigger="birthday", effective_from=begins, **BY_TIME)
    for _ in range(3):
        await accrual.database.run(partial(celebrate_due_day, programme=PROGRAMME, rules=accrual.rules))
    assert [await balances(accrual, each) for each in (early, late)] == [
        Balances(available=15),
        Balances(available=25),
    ]


async def test_what_may_not_be_owed_refuses_the_undoing_and_leaves_all_as_it_was(
    client: Client, accrual: Accrual, at: datetime, anna: UUID, module_database: FreshDatabase
) -> None:
    """By rules that say so: the event stays, and its cap stays used. They let no balance rise above 50."""
    said = SAID | {"caps": [{"kind": "balance", "points_max": 50}], "returns": {"claw_back": "refuse"}}
    refusing = rule_set(rule("base"), *OF_EVENTS, **said)
    later = refusing.model_copy(update={"version": 2, "effective_from": at})
    async with accrual.database.transaction() as transaction:
        await published_before(transaction, later)
    event_id = (await told(client, SURVEY, anna, at, answers=10)).json()["event_id"]
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(anna, "points", b"tender", 1, "fuel")])

    assert slug(await revoked(client, SURVEY, anna)) == (409, "points-spent")

    now = await story(client, event_id)
    assert (now["state"], now["award"]["rule_set_version"]) == ("awarded", 2)
    assert (await balances(accrual, anna), await balances(accrual, anna, "status")) == (
        Balances(available=29),
        Balances(available=5),
    )
    await the_balance_is_capped_by_what_the_ledger_finds(accrual, anna, at)
    again = await told(client, SURVEY, anna, at, survey="again", answers=10)
    assert (again.json()["points"], await balances(accrual, anna)) == (11, Balances(available=50))
    assert (await verified(module_database)).is_sound


async def the_balance_is_capped_by_what_the_ledger_finds(accrual: Accrual, anna: UUID, at: datetime) -> None:
    """29 of 50: while 30 more are decided to be 21, 10 are given from elsewhere. All of it is to be decided again."""

    async def give(transaction: Transaction) -> None:
        lot = LotTerms("fuel", at.date(), None)
        await post(transaction, [Earn(anna, "points", b"elsewhere", 10, lot)])

    async def tell(transaction: Transaction) -> None:
        payload = {"survey": "again", "answers": 10}
        await tell_member_event(transaction, SURVEY, anna, payload, at, "survey-tool", PROGRAMME, accrual.rules)

    with pytest.raises(BalanceMovedError):
        await interleave(accrual.database, give, tell)
    assert await balances(accrual, anna) == Balances(available=39)


async def test_a_type_counts_once_a_second_person_has_approved_it(client: Client, at: datetime, anna: UUID) -> None:
    version = await declare(client, "unseen", is_approved=False)
    assert slug(await told(client, "unseen", anna, at)) == (409, "type-not-approved")
    url = f"/v1/member-event-types/unseen/versions/{version}"
    own = await client.post(f"{url}/approve", headers=bearing("rules:approve", client_id="author"))
    assert slug(own) == (403, "own-type")
    again = await client.post(
        "/v1/member-event-types/unseen",
        json=TYPE | {"sources": ["other"]},
        headers=bearing("rules:write", client_id="author"),
    )
    assert slug(again) == (409, "type-waits")

    await approved(client, "unseen", version)
    await approved(client, "unseen", version)
    refusal = {"reason": "too much"}
    late = await client.post(f"{url}/refuse", json=refusal, headers=bearing("rules:approve", client_id="third"))
    assert slug(late) == (409, "type-decided")
    assert (await told(client, "unseen", anna, at)).json()["state"] == "awarded"
