"""Two connections, both commits interleaved on purpose: whoever is second sees what the first has done."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from services.redemption.domain.errors import AlreadyCapturedError, HoldNotOpenError, ReceiptVoidedError
from services.redemption.domain.holding import Paid
from services.redemption.domain.redemption import State
from services.redemption.domain.tender import PointsTender
from services.redemption.repository.receipts import Refusal
from services.redemption.timers import Timers
from services.redemption.use_cases.capture_hold import Captured
from services.redemption.use_cases.expire_holds import expire_holds
from services.redemption.use_cases.hold_points import Held, Spender
from services.redemption.use_cases.settle_tenders import settle_tenders
from services.redemption.use_cases.undo_refused import undo_refused
from services.redemption.use_cases.void_hold import Voided, void_hold
from services.redemption.use_cases.void_receipts import void_receipts
from shared.database import Transaction
from shared.ids import new_id
from shared.receipt_key import encode_receipt_key
from tests.support.receipts import card, member
from tests.support.redemption import (
    GROCER,
    PROGRAMME,
    Admin,
    Spending,
    held_open,
    hold_in,
    linked,
    paid_with_points,
    patiently,
    tender_of,
    till_receipt,
    until_blocked,
    void_of,
)
from tests.support.shared_captures import capture_in

ANNA = member(1)
ROUNDS = 12

Work = Callable[[Transaction], Awaitable[Any]]


def hold(redemption_id: Any) -> Work:
    return lambda transaction: hold_in(transaction, Spender(ANNA), 400, redemption_id=redemption_id)


def receipt(*tenders: PointsTender) -> Work:
    return lambda transaction: settle_tenders(transaction, tenders, PROGRAMME.pricing)


def refusal(tender: PointsTender) -> Work:
    return lambda transaction: undo_refused(transaction, [Refusal(tender.receipt_key, tender.content_hash)])


def capture(redemption_id: Any) -> Work:
    return lambda transaction: capture_in(transaction, GROCER, redemption_id, till_receipt(1), None, more=False)


def void(redemption_id: Any) -> Work:
    return lambda transaction: void_hold(transaction, GROCER, redemption_id, "points")


def voiding(number: int) -> Work:
    void = void_of(encode_receipt_key("grocer", till_receipt(number)))
    return lambda transaction: void_receipts(transaction, [void])


async def interleaved(spending: Spending, admin: Admin, first: Work, second: Work) -> tuple[Any, Any]:
    """The second starts when the first has done everything but commit, and waits for it; gives what each said."""
    async with held_open(spending.database) as transaction:
        said = await first(transaction)
        waiting = asyncio.create_task(patiently(spending.database, second))
        await until_blocked(admin)
    return said, (await asyncio.gather(waiting, return_exceptions=True))[0]


async def test_a_receipt_before_its_hold(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()
    tender = tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA))

    settled, refused = await interleaved(spending, admin, receipt(tender), hold(redemption_id))

    assert settled.outcomes == {"late": 1}
    assert isinstance(refused, AlreadyCapturedError)
    assert (await spending.balance(ANNA)).available == 600
    assert await spending.kinds() == ["Captured"]
    await spending.check([ANNA], 1000)


async def test_a_hold_before_its_receipt(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()
    tender = tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA))

    held, settled = await interleaved(spending, admin, hold(redemption_id), receipt(tender))

    assert isinstance(held, Held)
    assert settled.outcomes == {"captured": 1}
    assert (await spending.balance(ANNA)).available == 600
    assert await spending.kinds() == ["Held", "Captured"]
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("is_receipt_first", [True, False])
async def test_a_receipt_of_an_unknown_card_and_its_hold(
    spending: Spending, admin: Admin, *, is_receipt_first: bool
) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()
    pair = [receipt(tender_of(paid_with_points(1, 400, redemption_id))), hold(redemption_id)]

    said = await interleaved(spending, admin, *(pair if is_receipt_first else reversed(pair)))
    await Timers(spending.database, PROGRAMME).sweep()

    assert isinstance(said[1], Paid) if is_receipt_first else said[1].outcomes == {"captured": 1}
    assert await spending.waiting() == 0
    assert (await spending.redemption(redemption_id)).state is State.CAPTURED
    assert (await spending.balance(ANNA)).available == 600
    await spending.check([ANNA], 1000)


async def test_a_card_is_registered_while_its_receipt_is_being_parked(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    tender = tender_of(paid_with_points(1, 400, None, identifier_hash=card(1)))

    async with held_open(spending.database) as transaction:
        report = await settle_tenders(transaction, [tender], PROGRAMME.pricing)
        await spending.members(linked(ANNA, card(1)))  # commits, and sees nothing that waits
    await Timers(spending.database, PROGRAMME).sweep()

    assert report.outcomes == {"waiting": 1}
    assert await spending.waiting() == 0
    assert (await spending.balance(ANNA)).available == 600


async def test_a_receipt_before_its_refusal(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    tender = tender_of(paid_with_points(1, 400, None, owner=ANNA))

    settled, exceptions = await interleaved(spending, admin, receipt(tender), refusal(tender))

    assert settled.outcomes == {"late": 1}
    assert exceptions == ["refused_receipt"]


async def test_a_refusal_before_its_receipt(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    tender = tender_of(paid_with_points(1, 400, None, owner=ANNA))

    exceptions, settled = await interleaved(spending, admin, refusal(tender), receipt(tender))

    assert exceptions == []
    assert settled.outcomes == {"refused": 1}
    assert (await spending.balance(ANNA)).available == 1000


@pytest.mark.parametrize("is_receipt_first", [True, False])
async def test_http_and_receipt_take_once(spending: Spending, admin: Admin, *, is_receipt_first: bool) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    pair = [receipt(tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA))), capture(redemption_id)]
    await spending.drain()

    await interleaved(spending, admin, *(pair if is_receipt_first else reversed(pair)))

    assert await spending.kinds() == ["Captured"]
    assert await spending.exceptions() == []
    assert (await spending.balance(ANNA)).available == 600
    await spending.check([ANNA], 1000)


async def test_a_receipt_is_voided_while_a_till_captures_for_it(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    captured, given_back = await interleaved(spending, admin, capture(redemption_id), voiding(1))

    assert isinstance(captured, Captured)
    assert (given_back, (await spending.balance(ANNA)).available) == (400, 1000)
    await spending.check([ANNA], 1000)


async def test_a_till_captures_for_a_receipt_while_it_is_voided(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    given_back, refused = await interleaved(spending, admin, voiding(1), capture(redemption_id))

    assert given_back == 0
    assert isinstance(refused, ReceiptVoidedError)
    assert ((await spending.balance(ANNA)).held, await spending.exceptions()) == (400, [])
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("is_void_first", [True, False])
async def test_a_receipt_that_is_known_is_waited_for(spending: Spending, admin: Admin, *, is_void_first: bool) -> None:
    """Its row is there, so that no insert waits for another: the capture locks it all the same, and looks then."""
    await spending.enrol(ANNA, 1000)
    first, second = [(await spending.held(ANNA, 400)).redemption_id for _ in range(2)]
    await spending.capture(first, 1)
    pair = [voiding(1), capture(second)]

    _, second_said = await interleaved(spending, admin, *(pair if is_void_first else reversed(pair)))

    assert isinstance(second_said, ReceiptVoidedError) if is_void_first else second_said == 800
    assert (await spending.balance(ANNA)).available == (600 if is_void_first else 1000)
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("is_receipt_first", [True, False])
async def test_a_receipt_and_its_void(spending: Spending, admin: Admin, *, is_receipt_first: bool) -> None:
    await spending.enrol(ANNA, 1000)
    tender = tender_of(paid_with_points(1, 400, None, owner=ANNA))
    pair = [receipt(tender), voiding(1)]

    await interleaved(spending, admin, *(pair if is_receipt_first else reversed(pair)))

    assert (await spending.balance(ANNA)).available == 1000
    assert await spending.kinds() == (["Captured", "Refunded"] if is_receipt_first else [])
    await spending.check([ANNA], 1000)


async def test_a_void_before_its_hold(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()

    voided, refused = await interleaved(spending, admin, void(redemption_id), hold(redemption_id))

    assert isinstance(voided, Voided)
    assert isinstance(refused, HoldNotOpenError)
    assert (await spending.balance(ANNA)).available == 1000


async def test_a_hold_before_its_void(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()

    held, voided = await interleaved(spending, admin, hold(redemption_id), void(redemption_id))

    assert isinstance(held, Held)
    assert isinstance(voided, Voided)
    assert voided.points == 400
    assert (await spending.balance(ANNA)).available == 1000
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize(("first", "second"), list(permutations(("capture", "void", "expiry"), 2)))
async def test_of_capture_void_and_expiry_the_first_wins(
    spending: Spending, admin: Admin, first: str, second: str
) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400, seconds=60)).redemption_id
    await spending.drain()
    now = await spending.advance(admin, timedelta(hours=1))
    works: dict[str, Work] = {
        "capture": capture(redemption_id),
        "void": void(redemption_id),
        "expiry": lambda transaction: expire_holds(transaction, now),
    }

    if second == "expiry":  # it waits for nobody: a hold that somebody is busy with is not its affair
        async with held_open(spending.database) as transaction:
            await works[first](transaction)
            said = await patiently(spending.database, works[second])
        assert said == 0
    else:
        _, said = await interleaved(spending, admin, works[first], works[second])
        assert isinstance(said, HoldNotOpenError)

    won = {"capture": "Captured", "void": "Voided", "expiry": "Expired"}[first]
    assert await spending.expire(now) == 0
    assert await spending.kinds() == [won]
    await spending.check([ANNA], 1000)


async def test_of_capture_void_and_expiry_at_once_exactly_one_wins(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    for round_ in range(1, ROUNDS + 1):
        redemption_id = (await spending.held(ANNA, 50, seconds=1)).redemption_id
        now = await spending.advance(admin, timedelta(seconds=2))
        await spending.drain()
        racing = [
            spending.capture(redemption_id, round_),
            spending.void(redemption_id),
            spending.expire(now),
        ]

        said = await asyncio.gather(*racing[round_ % 3 :], *racing[: round_ % 3], return_exceptions=True)

        won = [each for each in said if isinstance(each, Captured | Voided) or each == 1]
        lost = [each for each in said if isinstance(each, HoldNotOpenError) or each == 0]
        assert (len(won), len(lost)) == (1, 2)
        assert len(await spending.kinds()) == 1
        await spending.check([ANNA], 1000)


async def test_a_receipt_takes_once_whatever_races_with_it(spending: Spending, admin: Admin) -> None:
    """The hold ends once, by whoever is first; its receipt has its points in any case, and the till's capture is the
    same one."""
    await spending.enrol(ANNA, 1000)
    for round_ in range(1, ROUNDS + 1):
        redemption_id = (await spending.held(ANNA, 50, seconds=1)).redemption_id
        now = await spending.advance(admin, timedelta(seconds=2))
        await spending.drain()
        paid = tender_of(paid_with_points(round_, 50, redemption_id, owner=ANNA))
        racing = [
            spending.settle(paid),
            spending.capture(redemption_id, round_),
            spending.void(redemption_id),
            spending.expire(now),
            spending.settle(paid),
        ]

        said = await asyncio.gather(*racing[round_ % 5 :], *racing[: round_ % 5], return_exceptions=True)

        assert [each for each in said if isinstance(each, Exception) and not isinstance(each, HoldNotOpenError)] == []
        told = Counter(await spending.kinds())
        assert told["Captured"] == 1
        assert told["Voided"] + told["Expired"] <= 1
        redemption = await spending.redemption(redemption_id)
        assert (redemption.state, redemption.captured_points, redemption.open_points) == (State.CAPTURED, 50, 0)
        assert await spending.exceptions() == []
        await spending.check([ANNA], 1000)


async def test_batches_in_opposite_order_do_not_deadlock(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.enrol(member(2), 1000)
    owners = (ANNA, member(2))
    for round_ in range(ROUNDS):
        tenders = [
            tender_of(paid_with_points(round_ * 10 + number, 1, new_id(), owner=owners[number % 2]))
            for number in range(10)
        ]

        reports = await asyncio.gather(
            *(patiently(spending.database, receipt(*batch)) for batch in (tenders, tenders[::-1]))
        )

        assert sum((report.outcomes["late"] for report in reports), 0) == 10
        assert sum((report.outcomes["repeat"] for report in reports), 0) == 10
    await spending.check(owners, 1000)
