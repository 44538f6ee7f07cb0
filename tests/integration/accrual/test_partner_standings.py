"""A receipt is judged by where its partner stood when it occurred, whenever it comes and whatever came first."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from services.accrual.use_cases.project_coalition import project_coalition
from shared.database import Database
from shared.events.coalition import PartnerChanged, PartnerData, PartnerKind, PartnerState
from shared.events.points import ReceiptRefused
from shared.ids import new_id
from tests.support.accrual import Accrual
from tests.support.receipts import NOON, card, enrolled, linked, member, purchase, return_of

ANNA = member(1)


def changed(version: int, state: PartnerState, since: datetime, kind: PartnerKind = "both") -> PartnerChanged:
    data = PartnerData(partner_id="grocer", version=version, name="Grocer", state=state, kind=kind, in_force_from=since)
    return PartnerChanged(id=new_id(), source="test", subject="grocer", time=since, data=data)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA))
    return accrual


async def tell(accrual: Accrual, *events: PartnerChanged) -> None:
    async with accrual.database.transaction() as transaction:
        await project_coalition(transaction, events)


async def refusals(accrual: Accrual) -> list[str]:
    return [event.data.reason for event in await accrual.drain() if isinstance(event, ReceiptRefused)]


async def test_a_suspended_partner_gives_no_points_and_takes_goods_back(accrual: Accrual) -> None:
    before = purchase(1, 1000, owner=ANNA)
    await accrual.award(before)
    await tell(accrual, changed(2, "suspended_earning", NOON + timedelta(hours=1)))

    late = purchase(2, 1000, owner=ANNA)  # occurred before, comes after
    during = purchase(3, 1000, owner=ANNA, occurred_at=NOON + timedelta(hours=2))
    report = await accrual.award(late, during, return_of(before, 9, {1: 1000}, owner=ANNA))

    assert (report.awarded, report.clawed_back, report.refused) == (1, 1, {"partner_suspended": 1})
    assert await refusals(accrual) == ["partner_suspended"]
    assert (await accrual.balance(ANNA)).available == 10


async def test_a_parked_receipt_counts_as_it_would_have_counted_then(accrual: Accrual) -> None:
    await accrual.award(purchase(1, 1000, identifier_hash=card(3)))
    await tell(accrual, changed(2, "left", NOON + timedelta(days=1)))

    await accrual.members(enrolled(member(3)), linked(member(3), card(3)))
    await accrual.award(*await accrual.released())

    assert (await accrual.balance(member(3))).available == 10


async def test_versions_may_come_in_any_order_and_again(accrual: Accrual) -> None:
    suspended = changed(2, "suspended", NOON - timedelta(hours=2))
    active = changed(3, "active", NOON - timedelta(hours=1))
    await tell(accrual, active)
    await tell(accrual, suspended, active)
    await tell(accrual, suspended)

    report = await accrual.award(
        purchase(1, 1000, owner=ANNA), purchase(2, 1000, owner=ANNA, occurred_at=NOON - timedelta(minutes=90))
    )

    assert (report.awarded, report.refused) == (1, {"partner_suspended": 1})


async def test_who_only_takes_points_gives_none(accrual: Accrual) -> None:
    await tell(accrual, changed(2, "active", NOON - timedelta(days=1), "redeeming"))

    assert (await accrual.award(purchase(1, 1000, owner=ANNA))).refused == {"partner_does_not_issue": 1}
