"""Holds that share a transaction: each comes to what it would have come to alone, in as few round trips as one."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.redemption.domain.hold_wish import HoldWish
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points
from services.redemption.use_cases.hold_together import HoldAsked, hold_together
from shared import ledger
from shared.database import Transaction
from shared.events.redemptions import RedemptionDeclined, RedemptionHeld
from shared.ids import new_id
from tests.support.counted_statements import counted_statements
from tests.support.mortal_process import mortal
from tests.support.receipts import member
from tests.support.redemption import PROGRAMME, Admin, Spending, earn, enrolled, held_open
from tests.support.rewards import slug
from tests.support.rolled_back import rolled_back
from tests.support.shared_holds import Tills, tills_of
from tests.support.until import until

ANNA, BERT, CARL = member(1), member(2), member(3)
STATEMENTS_MIN = 5


@pytest.fixture
async def tills(spending: Spending) -> AsyncIterator[Tills]:
    async with tills_of(spending.database) as tills:
        yield tills


def hold(owner: UUID, points: int = 100, **others: Any) -> dict[str, Any]:
    return {"member_id": str(owner), "points": points} | others


def statuses(answers: list[httpx2.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


async def test_eight_at_once_are_five_statements(
    tills: Tills, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [member(number) for number in range(1, 9)]
    for one in members:
        await spending.enrol(one, 1_000)

    with counted_statements(monkeypatch) as statements:
        answers = await tills.at_once([hold(one, 400) for one in members])

    assert statuses(answers) == [201] * 8
    assert len(statements.of_transaction_with("insert into redemptions")) == STATEMENTS_MIN
    told = [(answer.json()["member_id"], answer.json()["balance"]["available"]) for answer in answers]
    assert told == [(str(one), 600) for one in members]
    assert await spending.kinds() == ["Held"] * 8
    await spending.check(members, 1_000)


async def test_of_one_member_each_sees_those_before_it(tills: Tills, spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    await spending.enrol(BERT, 1_000)

    answers = await tills.at_once([hold(ANNA, 300)] * 2 + [hold(BERT, 300)] + [hold(ANNA, 300)] * 3)

    assert statuses(answers) == [201] * 4 + [409] * 2
    assert [answer.json()["balance"]["available"] for answer in answers[:4]] == [700, 400, 700, 100]
    assert {(slug(answer), answer.json()["available"]) for answer in answers[4:]} == {
        ((409, "insufficient-points"), 100)
    }
    of_anna = [event for event in await spending.drain() if event.data.member_id == ANNA]
    held = [event for event in of_anna if isinstance(event, RedemptionHeld)]
    assert [event.data.balance.available for event in held] == [700, 400, 100]
    assert [type(event) for event in of_anna[3:]] == [RedemptionDeclined] * 2
    await spending.check([ANNA, BERT], 1_000)


async def test_one_that_is_refused_takes_nobody_with_it_and_leaves_no_trace(
    tills: Tills, spending: Spending, admin: Admin
) -> None:
    await spending.enrol(ANNA, 1_000)
    await spending.enrol(BERT, 1_000, status="suspended")
    await spending.enrol(CARL)
    ids = [str(new_id()) for _ in range(5)]
    bodies = [
        hold(ANNA, redemption_id=ids[0]),
        hold(member(9), redemption_id=ids[1]),  # nobody
        hold(BERT, redemption_id=ids[2]),
        hold(ANNA, redemption_id=ids[3], points=PROGRAMME.fresh_facts.points_max + 1),
        hold(ANNA, quote_id=str(uuid4())),
        hold(CARL, redemption_id=ids[4]),
        hold(ANNA),
    ]

    answers = await tills.at_once(bodies)

    assert [201 if answer.is_success else slug(answer)[1] for answer in answers] == [
        201,
        "unknown-member",
        "member-suspended",
        "facts-behind",
        "unknown-quote",
        "insufficient-points",
        201,
    ]
    rows = await admin.fetch(
        "select redemption_id, state from redemption.redemptions where redemption_id = any($1)", ids
    )
    assert {(str(row["redemption_id"]), row["state"]) for row in rows} == {
        (ids[0], "held"),
        (ids[2], "declined"),
        (ids[4], "declined"),
    }
    assert sorted(await spending.kinds()) == ["Declined"] * 2 + ["Held"] * 2
    await spending.check([ANNA], 1_000)


async def test_a_key_is_decided_once_however_often_it_comes(tills: Tills, spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    first = await tills.hold(hold(ANNA), "old")

    keys = ["old", "new", "new", "other", "old"]
    bodies = [hold(ANNA), hold(ANNA), hold(ANNA), hold(ANNA), hold(ANNA, 7)]
    answers = await tills.at_once(bodies, keys)
    again = [await tills.hold(body, key) for body, key in zip(bodies, keys, strict=True)]

    assert set(statuses(answers)) <= {201, 409, 422}  # of two at once one may be told that the other is under way
    assert statuses(again) == [201, 201, 201, 201, 422]
    assert (again[0].content, again[3].content) == (first.content, answers[3].content)
    assert again[1].content == again[2].content
    assert {answer.headers["Idempotency-Replayed"] for answer in again[:4]} == {"true"}
    assert await spending.kinds() == ["Held"] * 3
    await spending.check([ANNA], 1_000)


async def test_an_id_that_comes_twice_at_once_is_one_hold_and_a_spent_one_none(
    tills: Tills, spending: Spending
) -> None:
    """Which of those that name one id is the first is not said by who shares a transaction."""
    await spending.enrol(ANNA, 1_000)
    mine, voided = str(new_id()), str(new_id())
    await spending.void(UUID(voided))

    answers = await tills.at_once(
        [hold(ANNA, redemption_id=mine), hold(ANNA, redemption_id=mine), hold(ANNA, redemption_id=voided), hold(ANNA)]
    )

    assert statuses(answers) == [201, 201, 409, 201]
    assert slug(answers[2]) == (409, "hold-not-open")
    assert await spending.kinds() == ["Held"] * 2
    await spending.check([ANNA], 1_000)


async def test_a_shared_transaction_that_breaks_at_any_statement_is_asked_again_alone(
    tills: Tills, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [ANNA, ANNA, BERT, CARL]
    for one in {*members}:
        await spending.enrol(one, 10_000)

    with mortal(monkeypatch, lambda words: "pg_try_advisory_xact_lock" in words) as process:
        dies_at, has_died = 0, True
        while has_died:
            process.dies_at(dies_at)
            answers = await tills.at_once([hold(one) for one in members])
            has_died = process.has_died
            assert statuses(answers) == [201] * 4, dies_at
            assert await spending.kinds() == ["Held"] * 4
            dies_at += 1

    assert dies_at > STATEMENTS_MIN
    await spending.check(members, 10_000)


async def test_a_shared_commit_whose_answer_was_lost_is_found_under_each_key(
    tills: Tills, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [ANNA, ANNA, BERT]
    for one in {*members}:
        await spending.enrol(one, 1_000)

    with mortal(monkeypatch, lambda words: "pg_try_advisory_xact_lock" in words) as process:
        process.loses_the_answer_to_its_commit()
        answers = await tills.at_once([hold(one) for one in members])

    assert statuses(answers) == [201] * 3
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == ["true"] * 3
    assert await spending.kinds() == ["Held"] * 3
    await spending.check(members, 1_000)


LOCKED = (
    "select from redemption_members where member_id = $1 for no key update",
    "select from ledger_accounts where owner_id = $1 for no key update",
)


@pytest.mark.parametrize("statement", LOCKED)
async def test_nobody_waits_for_another_members_rows(tills: Tills, spending: Spending, statement: str) -> None:
    """Those whose member somebody else has locked wait for that one, together; all others are answered meanwhile."""
    for one in (ANNA, BERT, CARL):
        await spending.enrol(one, 1_000)

    async with held_open(spending.database) as transaction:
        await transaction.raw.execute(statement, BERT)
        waiting = asyncio.create_task(tills.at_once([hold(BERT, 300)] * 2))
        answers = await tills.at_once([hold(ANNA), hold(BERT, 300), hold(CARL)][::2])
        more = asyncio.create_task(tills.at_once([hold(BERT, 300)] * 2 + [hold(ANNA)]))

        async def is_anna_answered() -> bool:
            return bool((await spending.balance(ANNA)).held == 200)

        await until(is_anna_answered)
        assert not waiting.done()
    theirs = [*await waiting, *await more]

    assert statuses(answers) == [201, 201]
    assert Counter(statuses(theirs)) == {201: 4, 409: 1}
    await spending.check([ANNA, BERT, CARL], 1_000)


async def test_who_has_gone_away_keeps_nobody_from_an_answer(tills: Tills, spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)

    gone = asyncio.create_task(tills.hold(hold(ANNA), "gone"))
    others = asyncio.create_task(tills.at_once([hold(ANNA)] * 3))
    await asyncio.sleep(0)
    gone.cancel()
    answers = await others
    await asyncio.gather(gone, return_exceptions=True)

    assert statuses(answers) == [201] * 3
    assert (await tills.hold(hold(ANNA), "gone")).status_code == 201
    assert await spending.kinds() == ["Held"] * 4
    await spending.check([ANNA], 1_000)


@pytest.mark.parametrize("seed", range(4))
async def test_together_is_what_one_after_the_other_would_be(spending: Spending, seed: int) -> None:
    chance = random.Random(seed)
    members = [member(number) for number in range(1, 5)]
    for one in members[:3]:
        for expires_on in (None, date(2027, 5, 1), date(2027, 3, 1)):
            await spending.do(partial(ledger.post, commands=[earn(one, chance.randint(50, 200), expires_on)]))
        await spending.members(enrolled(one))
    await spending.enrol(members[3], 100, status="earn_only")
    wishes = [
        HoldWish(chance.choice(("grocer", "fuel")), chance.randint(1, 150), timedelta(minutes=15), "s1")
        for _ in range(12)
    ]
    asked = [HoldAsked(Spender(chance.choice(members)), wish) for wish in wishes]

    async def together(transaction: Transaction) -> list[Any]:
        return list(await hold_together(transaction, asked, PROGRAMME))

    async def one_by_one(transaction: Transaction) -> list[Any]:
        decided = []
        for spender, wish, *_ in asked:
            decided.append(await hold_points(transaction, spender, wish.request(transaction.now, None), PROGRAMME))
            await transaction.write_later()
        return decided

    seen = partial(rolled_back, spending.database, essence=essence, written=WRITTEN, told_by_chance=TOLD_BY_CHANCE)
    assert await seen(together) == await seen(one_by_one)


def essence(decided: Held | Declined) -> tuple[Any, ...]:
    if isinstance(decided, Held):
        return decided.redemption.member_id, decided.redemption.held_points, decided.balance
    return decided.decline.redemption.member_id, decided.decline.reason, decided.decline.points, decided.available


WRITTEN = (
    "select owner_id, available, held from ledger_accounts order by 1",
    "select account_id, lot_key, remaining, reserved from ledger_lots order by 1, 2",
    "select account_id, debit_lot, points from ledger_transfers where purpose = 'reserve' order by 1, transfer_id",
    "select member_id, partner_id, state, held_points from redemptions order by 1, 2, 3, 4",
)
TOLD_BY_CHANCE = re.compile(r'"(id|redemption_id|subject|time|expires_at|traceparent)":"[^"]*"')
