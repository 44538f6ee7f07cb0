"""A line is judged by what its category counted as at the receipt's time, and stays so judged."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from services.accrual.domain.decisions import Document
from services.accrual.programme import PublishedRules
from services.accrual.use_cases.project_coalition import project_coalition
from services.accrual.use_cases.show_receipt import ReceiptStory, show_receipt
from shared.database import Database
from shared.events.coalition import CoalitionEvent
from shared.events.goods import ArticleChanged, ArticleData, MappedData, ProductMapped
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from tests.support.accrual import Accrual
from tests.support.receipts import NOON, enrolled, line, member, purchase, return_of

ANNA = member(1)


def mapped(version: int, path: tuple[str, ...], since: datetime) -> ProductMapped:
    data = MappedData(
        partner_id="grocer",
        version=version,
        partner_category="OBST",
        category_id=path[-1] if path else None,
        path=path,
        in_force_from=since,
    )
    return ProductMapped(id=new_id(), source="test", subject="grocer/OBST", time=since, data=data)


def excluded(version: int, sku: str, since: datetime, *, is_excluded: bool = True) -> ArticleChanged:
    data = ArticleData(partner_id="grocer", version=version, sku=sku, is_excluded=is_excluded, in_force_from=since)
    return ArticleChanged(id=new_id(), source="test", subject=f"grocer/{sku}", time=since, data=data)


PRODUCE = mapped(1, ("PRODUCE", "fruit"), NOON - timedelta(hours=1))
OTHER = mapped(2, ("other",), NOON + timedelta(hours=1))


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA))
    return accrual


async def tell(accrual: Accrual, *events: CoalitionEvent) -> None:
    async with accrual.database.transaction() as transaction:
        await project_coalition(transaction, events)


async def story(accrual: Accrual, event: PurchaseRecorded) -> ReceiptStory:
    """As another process tells it, which has read nothing before."""
    key = Document.of(event, event.to_bytes()).natural_key
    async with accrual.database.transaction() as transaction:
        return await show_receipt(transaction, key, PublishedRules())


def fruit(number: int, occurred_at: datetime = NOON) -> PurchaseRecorded:
    return purchase(number, [line(1, 1000, "OBST")], owner=ANNA, occurred_at=occurred_at)


async def test_lines_are_judged_by_the_mapping_of_their_own_time(accrual: Accrual) -> None:
    await tell(accrual, PRODUCE, OTHER)

    await accrual.award(fruit(1, NOON - timedelta(hours=2)), fruit(2), fruit(3, NOON + timedelta(hours=2)))

    assert (await accrual.balance(ANNA)).available == 10 + 20 + 10


async def test_a_return_and_the_trace_meet_the_mapping_that_the_award_was_judged_by(accrual: Accrual) -> None:
    await tell(accrual, PRODUCE)
    bought = fruit(1)
    await accrual.award(bought)
    await tell(accrual, mapped(2, ("other",), NOON - timedelta(hours=1)))  # declared since, and reaching back

    told = await story(accrual, bought)
    assert told.award is not None
    assert (told.award.points, told.award.mapping_version) == (20, 1)
    assert told.evaluation is not None
    assert told.evaluation.base.categories == (("PRODUCE", "fruit"),)

    await accrual.award(return_of(bought, 9, {1: 1000}, owner=ANNA))
    assert (await accrual.balance(ANNA)).available == 0


async def test_versions_may_come_in_any_order_and_again(accrual: Accrual) -> None:
    await tell(accrual, OTHER)
    await accrual.award(fruit(1))  # the first version is missing: nothing of the mapping counts yet
    assert (await story(accrual, fruit(1))).award is not None
    await tell(accrual, PRODUCE, OTHER)
    await tell(accrual, PRODUCE)

    await accrual.award(fruit(2), fruit(3, NOON + timedelta(hours=2)))

    assert (await accrual.balance(ANNA)).available == 10 + 20 + 10
    first = (await story(accrual, fruit(1))).award
    assert first is not None
    assert first.mapping_version == 0


async def test_an_excluded_article_earns_nothing_and_its_return_takes_nothing(accrual: Accrual) -> None:
    bought = fruit(1)
    sku = bought.data.lines[0].sku
    again = excluded(3, sku, NOON + timedelta(hours=1), is_excluded=False)
    await tell(accrual, again, excluded(2, sku, NOON - timedelta(hours=1)))
    await tell(accrual, PRODUCE)  # numbered together: only now the others count

    await accrual.award(fruit(2, NOON - timedelta(hours=2)), bought, fruit(3, NOON + timedelta(hours=2)))
    assert (await accrual.balance(ANNA)).available == 10 + 0 + 20
    told = await story(accrual, bought)
    assert told.award is not None
    assert (told.award.points, told.award.mapping_version) == (0, 3)

    await tell(accrual, excluded(4, sku, NOON - timedelta(hours=3), is_excluded=False))  # said since, reaching back
    await accrual.award(return_of(bought, 9, {1: 1000}, owner=ANNA))
    assert (await accrual.balance(ANNA)).available == 30
