"""What a member's status does to his receipts: every cell of the README's table, and how a status moves."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from services.accrual.domain.standing import STANDINGS
from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds, hold_of
from services.accrual.use_cases.award_purchases import BatchReport
from services.accrual.use_cases.sweep_parked import sweep_parked
from shared.database import Database
from shared.events.fraud import PointsHoldData, PointsHoldReleased, PointsHoldRequested, PointsReleaseData
from shared.events.members import MemberStatus
from shared.ids import new_id
from tests.support.accrual import Accrual
from tests.support.accrual_members import joined
from tests.support.member_events import STATUSES, changed, status_changed
from tests.support.receipts import NOON, card, enrolled, linked, purchase, return_of
from tests.support.registries import shared_database
from tests.support.servers import TestServers

AWARDED, WAITS = "awarded", "parked"
# The README's table: what becomes of a purchase, and of a receipt that waited for its card.
PURCHASES: dict[MemberStatus, tuple[str, str]] = {
    "active": (AWARDED, ""),
    "earn_only": (AWARDED, ""),
    "spend_locked": (AWARDED, ""),
    "suspended": (WAITS, "member_suspended"),
    "merged": (WAITS, "member_merged"),
    "closed": ("refused", "member_closed"),
    "erased": ("refused", "member_erased"),
}

numbers = count(1)


@pytest.fixture(scope="module")
async def module_database(stack: TestServers) -> AsyncIterator[Database]:
    async with shared_database(stack, "accrual") as database:
        await Accrual(database).begin()
        yield database


@pytest.fixture
async def accrual(module_database: Database) -> Accrual:
    """Every test has members and receipts of its own."""
    accrual = Accrual(module_database)
    async with module_database.transaction() as transaction:
        await accrual.rules.refresh(transaction)
    await accrual.drain()
    return accrual


def outcome(report: BatchReport) -> tuple[str, str]:
    """What became of a batch of one purchase."""
    if report.awarded:
        return AWARDED, ""
    ((kind, reasons),) = [
        (kind, reasons) for kind, reasons in (("parked", report.parked), ("refused", report.refused)) if reasons
    ]
    ((reason, _),) = reasons.items()
    return kind, reason


def test_the_table_has_every_status() -> None:
    assert set(STANDINGS) == set(STATUSES) == set(PURCHASES)


@pytest.mark.parametrize("status", STATUSES)
async def test_a_purchase(accrual: Accrual, status: MemberStatus) -> None:
    member_id = await joined(accrual)
    await accrual.members(status_changed(member_id, status))

    report = await accrual.award(purchase(next(numbers), 1000, owner=member_id))

    assert outcome(report) == PURCHASES[status]
    assert (await accrual.balance(member_id)).available == (10 if PURCHASES[status][0] == AWARDED else 0)


@pytest.mark.parametrize("status", STATUSES)
async def test_a_receipt_that_waited_for_its_card(accrual: Accrual, status: MemberStatus) -> None:
    member_id, number = await joined(accrual), next(numbers)
    await accrual.award(purchase(number, 1000, identifier_hash=card(number)))
    await accrual.members(status_changed(member_id, status))

    await accrual.members(linked(member_id, card(number)))
    (released,) = await accrual.released()

    assert outcome(await accrual.award(released)) == PURCHASES[status]


@pytest.mark.parametrize("status", STATUSES)
async def test_a_return_takes_back_whatever_the_status(accrual: Accrual, status: MemberStatus) -> None:
    member_id, bought = await joined(accrual), None
    bought = purchase(next(numbers), 1000, owner=member_id)
    await accrual.award(bought)
    await accrual.members(status_changed(member_id, status))

    report = await accrual.award(return_of(bought, next(numbers), {1: 1000}))

    assert report.clawed_back == 1
    assert (await accrual.balance(member_id)).available == 0


@pytest.mark.parametrize("status", STATUSES)
async def test_fraud_holds_and_releases_whatever_the_status(accrual: Accrual, status: MemberStatus) -> None:
    member_id = await joined(accrual)
    bought = purchase(next(numbers), 1000, owner=member_id)
    await accrual.award(bought)
    await accrual.members(status_changed(member_id, status))
    hold = PointsHoldData(
        member_id=member_id, receipt_id=bought.data.receipt_id, version=1, rule_code="R", case_id=new_id(), ends_at=NOON
    )
    release = PointsReleaseData(
        member_id=member_id, receipt_id=bought.data.receipt_id, version=2, case_id=hold.case_id, reason="valuable_alert"
    )
    envelope = {"source": "test", "subject": str(member_id), "time": NOON}

    pending = []
    for event in (
        PointsHoldRequested(id=new_id(), data=hold, **envelope),
        PointsHoldReleased(id=new_id(), data=release, **envelope),
    ):
        async with accrual.database.transaction() as transaction:
            await apply_fraud_holds(transaction, [hold_of(event)])
        pending.append((await accrual.balance(member_id)).pending)

    assert pending == [10, 0]


@pytest.mark.parametrize(("status", "points"), [("active", 10), ("closed", 0)])
async def test_what_a_suspension_lets_wait_is_decided_when_it_ends(
    accrual: Accrual, status: MemberStatus, points: int
) -> None:
    member_id, number = await joined(accrual), next(numbers)
    await accrual.members(linked(member_id, card(number)), status_changed(member_id, "suspended", version=2))
    await accrual.award(purchase(number, 1000, identifier_hash=card(number)))  # the door had not heard of the card

    # Neither the sweep, nor another change of the suspended member, nor an old event lets it go.
    async with accrual.database.transaction() as transaction:
        assert await sweep_parked(transaction) == 0
    await accrual.members(changed(member_id, version=3, status="suspended"), enrolled(member_id, version=1))
    assert await accrual.released() == []

    await accrual.members(status_changed(member_id, status, version=4))
    (released,) = await accrual.released()
    await accrual.award(released)

    assert (await accrual.balance(member_id)).available == points


async def test_an_older_status_changes_nothing(accrual: Accrual) -> None:
    member_id = await joined(accrual)
    await accrual.members(status_changed(member_id, "closed", version=3))
    await accrual.members(status_changed(member_id, "active", version=2), changed(member_id, version=2))

    report = await accrual.award(purchase(next(numbers), 1000, owner=member_id))

    assert report.refused == {"member_closed": 1}
