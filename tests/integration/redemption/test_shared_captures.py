"""Captures that share a transaction: each comes to what it would have come to alone, in as few round trips as one."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.redemption.domain.errors import RedemptionError
from services.redemption.use_cases.capture_hold import Captured, capture_hold
from services.redemption.use_cases.capture_together import CaptureAsked, capture_together
from shared import ledger
from shared.database import Transaction
from shared.events.redemptions import RedemptionCaptured
from shared.ids import new_id
from shared.receipt_key import encode_receipt_key
from shared.web import Left
from tests.support.counted_statements import counted_statements
from tests.support.mortal_process import mortal
from tests.support.receipts import member
from tests.support.redemption import (
    GROCER,
    PROGRAMME,
    Admin,
    Spending,
    earn,
    enrolled,
    held_open,
    paid_with_points,
    tender_of,
    till_receipt,
    until_blocked,
    void_of,
)
from tests.support.rewards import slug
from tests.support.rolled_back import rolled_back
from tests.support.shared_captures import TakingTills, asking, taking_tills
from tests.support.until import until

ANNA, BERT, CARL = member(1), member(2), member(3)
MEMBERS = (ANNA, BERT, CARL)
STATEMENTS_MIN = 5


@pytest.fixture
async def tills(spending: Spending) -> AsyncIterator[TakingTills]:
    async with taking_tills(spending.database, PROGRAMME) as tills:
        yield tills


def statuses(answers: list[httpx2.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


async def held(spending: Spending, *owners: UUID, points: int = 100, funded: int = 1_000) -> list[UUID]:
    """A redemption each, of members who are new with so many points; what was told of it is gone."""
    for one in dict.fromkeys(owners):
        await spending.enrol(one, funded)
    made = [(await spending.held(one, points)).redemption_id for one in owners]
    await spending.drain()
    return made


async def receipts_met(admin: Admin) -> int:
    return int(await admin.fetchval("select count(*) from redemption.redemption_receipts"))


async def test_eight_at_once_are_five_statements(
    tills: TakingTills, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [member(number) for number in range(1, 9)]
    made = await held(spending, *members, points=400)

    with counted_statements(monkeypatch) as statements:
        answers = await tills.at_once([asking(one, number, points=250) for number, one in enumerate(made)])

    assert statuses(answers) == [200] * 8
    assert len(statements.of_transaction_with("insert into redemption_captures")) == STATEMENTS_MIN
    told = [(answer.json()["redemption_id"], answer.json()["balance"]["available"]) for answer in answers]
    assert told == [(str(one), 750) for one in made]
    assert await spending.kinds() == ["Captured"] * 8
    await spending.check(members, 1_000)


async def test_of_one_redemption_each_sees_those_before_it(tills: TakingTills, spending: Spending) -> None:
    """One says that more follows, one ends it, one finds it over; another redemption is that member's too."""
    first, other, bert = await held(spending, ANNA, ANNA, BERT, points=300)

    answers = await tills.at_once(
        [
            asking(first, 1, points=100, more=True),
            asking(bert, 2),
            asking(first, 3, points=50),
            asking(first, 4, points=50),
            asking(other, 5, points=300),
        ]
    )

    assert statuses(answers) == [200, 200, 200, 409, 200]
    assert slug(answers[3]) == (409, "hold-not-open")
    available = [answers[place].json()["balance"]["available"] for place in (0, 1, 2, 4)]
    assert available == [400, 700, 550, 550]
    events = [event for event in await spending.drain() if isinstance(event, RedemptionCaptured)]
    of_anna = [(event.data.points, event.data.released_points) for event in events if event.data.member_id == ANNA]
    assert of_anna == [(100, 0), (50, 150), (300, 0)]
    await spending.check([ANNA, BERT], 1_000)


async def test_what_is_left_takes_nobody_with_it_and_leaves_no_trace(
    tills: TakingTills, spending: Spending, admin: Admin
) -> None:
    voided, good, others, late, more = await held(spending, ANNA, ANNA, BERT, BERT, CARL)
    await spending.void(voided)
    await spending.capture(late, 9)
    await spending.drain()
    before = await receipts_met(admin)

    answers = await tills.at_once(
        [
            asking(voided, 1),
            asking(new_id(), 2),
            asking(others, 3, partner_id="fuel"),
            asking(others, 4, points=101),
            asking(late, 9),  # has captured before
            asking(good, 6),
            asking(more, 7, points=40, more=True),
        ]
    )

    assert [200 if answer.is_success else slug(answer)[1] for answer in answers] == [
        "hold-not-open",
        "not-found",
        "not-found",
        "exceeds-hold",
        200,
        200,
        200,
    ]
    assert await receipts_met(admin) == before + 2
    assert await spending.kinds() == ["Captured"] * 2
    await spending.check(MEMBERS, 1_000)


async def test_a_receipt_that_takes_of_two_redemptions_at_once_takes_of_each(
    tills: TakingTills, spending: Spending, admin: Admin
) -> None:
    anna, bert = await held(spending, ANNA, BERT)

    answers = await tills.at_once([asking(anna, 1), asking(bert, 1), asking(anna, 1)])

    assert statuses(answers) == [200] * 3
    assert answers[2].json()["capture"] == answers[0].json()["capture"]
    assert await receipts_met(admin) == 1
    assert await spending.kinds() == ["Captured"] * 2
    await spending.check([ANNA, BERT], 1_000)


async def test_a_key_is_decided_once_however_often_it_comes(tills: TakingTills, spending: Spending) -> None:
    anna, bert = await held(spending, ANNA, BERT)
    old = asking(anna, 1, "old", points=10, more=True)
    first = await tills.capture(old)
    asked = [old, asking(bert, 2, "new"), asking(bert, 2, "new"), asking(anna, 3, "old"), asking(anna, 4, "other")]

    answers = await tills.at_once(asked)
    again = [await tills.capture(one) for one in asked]

    assert set(statuses(answers)) <= {200, 409, 422}  # of two at once one may be told that the other is under way
    assert statuses(again) == [200, 200, 200, 422, 200]
    assert (again[0].content, again[4].content) == (first.content, answers[4].content)
    assert again[1].content == again[2].content
    assert await spending.kinds() == ["Captured"] * 3
    await spending.check([ANNA, BERT], 1_000)


async def test_a_shared_transaction_that_breaks_at_any_statement_is_asked_again_alone(
    tills: TakingTills, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = [ANNA, ANNA, BERT, CARL]
    await held(spending, *owners, funded=10_000)
    number = 0

    with mortal(monkeypatch, lambda words: "pg_try_advisory_xact_lock" in words) as process:
        dies_at, has_died = 0, True
        while has_died:
            process.dies_at(-1)
            made = [(await spending.held(one, 100)).redemption_id for one in owners]
            await spending.drain()
            process.dies_at(dies_at)
            answers = await tills.at_once([asking(one, number + place) for place, one in enumerate(made)])
            has_died = process.has_died
            assert statuses(answers) == [200] * 4, dies_at
            assert await spending.kinds() == ["Captured"] * 4
            dies_at, number = dies_at + 1, number + 4

    assert dies_at > STATEMENTS_MIN
    await spending.check(MEMBERS, 10_000)


async def test_a_shared_commit_whose_answer_was_lost_is_found_under_each_key(
    tills: TakingTills, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await held(spending, ANNA, ANNA, BERT)

    with mortal(monkeypatch, lambda words: "pg_try_advisory_xact_lock" in words) as process:
        process.loses_the_answer_to_its_commit()
        answers = await tills.at_once([asking(one, number) for number, one in enumerate(made)])

    assert statuses(answers) == [200] * 3
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == ["true"] * 3
    assert await spending.kinds() == ["Captured"] * 3
    await spending.check([ANNA, BERT], 1_000)


LOCKED = (
    "select from redemptions where member_id = $1 for no key update",
    "select from redemption_members where member_id = $1 for no key update",
    "select from ledger_accounts where owner_id = $1 for no key update",
)


@pytest.mark.parametrize("statement", LOCKED)
async def test_nobody_waits_for_another_members_rows(tills: TakingTills, spending: Spending, statement: str) -> None:
    """Who was passed over waits for its own redemption; what was made for its receipt keeps nobody from it."""
    anna, bert, second, carl = await held(spending, ANNA, BERT, BERT, CARL)

    async with held_open(spending.database) as transaction:
        await transaction.raw.execute(statement, BERT)
        waiting = asyncio.create_task(
            tills.at_once([asking(bert, 1, points=60, more=True), asking(second, 2), asking(bert, 3)])
        )
        answers = await tills.at_once([asking(anna, 4, points=50, more=True), asking(carl, 5)])
        more = asyncio.create_task(tills.at_once([asking(bert, 6), asking(anna, 7)]))

        async def is_anna_taken() -> bool:
            return bool((await spending.balance(ANNA)).held == 0)

        await until(is_anna_taken)
        assert not waiting.done()
    theirs = [*await waiting, *await more]

    assert statuses(answers) == [200, 200]
    assert sorted(statuses(theirs)) == [200, 200, 200, 200, 409]
    assert await spending.kinds() == ["Captured"] * 6
    await spending.check(MEMBERS, 1_000)


async def test_who_waited_for_a_receipt_that_was_left_meets_it_as_new(
    tills: TakingTills, spending: Spending, admin: Admin
) -> None:
    voided, good = await held(spending, ANNA, BERT)
    await spending.void(voided)

    async with held_open(spending.database) as transaction:
        assert await capture_together(transaction, [CaptureAsked("grocer", voided, till_receipt(1))]) == [Left.ALONE]
        await transaction.write_later()
        waiting = asyncio.create_task(tills.capture(asking(good, 1)))
        await until_blocked(admin)

    assert (await waiting).status_code == 200
    assert await receipts_met(admin) == 1
    await spending.check([ANNA, BERT], 1_000)


async def test_receipts_voids_and_expiry_race_with_captures(tills: TakingTills, spending: Spending) -> None:
    """Of each redemption its capture and what else became of it, at once: its points are taken once or came back."""
    owners = [MEMBERS[number % 3] for number in range(12)]
    made = await held(spending, *owners, points=20)
    kinds = random.Random(7).sample(range(12), 12)

    async def meanwhile(number: int) -> None:
        with suppress(RedemptionError):
            match kinds[number] % 4:
                case 0:
                    await spending.settle(tender_of(paid_with_points(number, 20, made[number], owner=owners[number])))
                case 1:
                    await spending.void(made[number])
                case 2:
                    await spending.void_receipts(void_of(encode_receipt_key("grocer", till_receipt(number)), number))
                case _:
                    await spending.expire(await spending.now() + timedelta(days=1))

    asked = asyncio.create_task(tills.at_once([asking(one, number) for number, one in enumerate(made)]))
    await asyncio.gather(*(meanwhile(number) for number in range(12)))
    answers = await asked

    assert set(statuses(answers)) <= {200, 409}
    assert await spending.exceptions() == []
    for number, answer in enumerate(answers):
        if kinds[number] % 4 == 0:
            assert answer.status_code == 200  # what a receipt took is answered, whichever way it came first
            assert (await spending.redemption(made[number])).captured_points == 20
    await spending.check(MEMBERS, 1_000)


@pytest.mark.parametrize("seed", range(4))
async def test_together_is_what_one_after_the_other_would_be(spending: Spending, seed: int) -> None:
    chance = random.Random(seed)
    for one in MEMBERS:
        for expires_on in (None, date(2027, 5, 1), date(2027, 3, 1)):
            await spending.do(partial(ledger.post, commands=[earn(one, chance.randint(50, 200), expires_on)]))
        await spending.members(enrolled(one))
    made = [(await spending.held(chance.choice(MEMBERS), chance.randint(10, 30))).redemption_id for _ in range(5)]
    asked = [
        CaptureAsked(
            "grocer",
            chance.choice(made),
            till_receipt(number),
            chance.choice((None, 5, 10, 20)),
            chance.random() < 0.6,
        )
        for number in range(12)
    ]

    async def together(transaction: Transaction) -> list[Any]:
        return list(await capture_together(transaction, asked))

    async def one_by_one(transaction: Transaction) -> list[Any]:
        taken: list[Any] = []
        for _, redemption_id, receipt, points, more, _ in asked:
            try:
                async with transaction.raw.transaction():
                    taken.append(await capture_hold(transaction, GROCER, redemption_id, receipt, points, more=more))
                    await transaction.write_later()
            except RedemptionError:
                taken.append(Left.ALONE)
        return taken

    seen = partial(rolled_back, spending.database, essence=essence, written=WRITTEN, told_by_chance=TOLD_BY_CHANCE)
    assert await seen(together) == await seen(one_by_one)


def essence(one: Captured | Left) -> Any:
    if isinstance(one, Left):
        return one
    return one.capture, one.balance, one.redemption.state, one.redemption.open_points


WRITTEN = (
    "select owner_id, available, held from ledger_accounts order by 1",
    "select account_id, lot_key, remaining, reserved from ledger_lots order by 1, 2",
    "select hold_id, reserved, captured, state from ledger_holds order by 1",
    "select account_id, debit_lot, purpose, points from ledger_transfers order by 1, transfer_id",
    "select redemption_id, state, open_points, captured_points, closed_at is null from redemptions order by 1",
    "select redemption_id, receipt_key, points, open_before, released_points from redemption_captures order by 1, 2",
    "select receipt_key from redemption_receipts order by 1",
)
TOLD_BY_CHANCE = re.compile(r'"(id|time|traceparent)":"[^"]*"')
