"""Returns that are clipped beside a cap on the balance: what room there is does not depend on how batches are cut."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from services.accrual.consumer import PurchaseHandler
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.history import RuleSetHistory
from services.accrual.domain.runs import in_runs
from shared.events.purchases import PurchaseEvent
from shared.kafka.batch_size import BatchSize
from shared.ledger import AdjustDown
from tests.integration.accrual.test_balance_caps import RULE_SET
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import new_member
from tests.support.databases import FreshDatabase
from tests.support.exposure import batch_of
from tests.support.ledger_database import posted
from tests.support.receipts import document, enrolled, purchase, return_of, void_of

CLIPPED = RuleSet.model_validate(RULE_SET.model_dump() | {"returns": {"claw_back": "clip"}})
FORGIVEN = RuleSet.model_validate(RULE_SET.model_dump() | {"returns": {"forgive_below": 20}})
numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, CLIPPED, zone=PROGRAMME.zone) as accrual:
        yield accrual


@pytest.mark.parametrize("is_one_batch", [True, False])
@pytest.mark.parametrize(("spent", "left"), [(0, 90), (80, 40), (40, 50)])
async def test_any_batching_leaves_the_same(accrual: Accrual, is_one_batch: bool, spent: int, left: int) -> None:
    """Of 100 points ``spent`` are gone; 50 are to be taken back, of which some may not be there; then 40 are earned."""
    anna = new_member()
    await accrual.members(enrolled(anna))
    sale = purchase(next(numbers), 10_000, owner=anna)
    await accrual.award(sale)
    if spent:
        await posted(accrual.database, AdjustDown(anna, "points", b"spent", spent))
    documents: list[PurchaseEvent] = [
        return_of(sale, next(numbers), {1: 500}),
        purchase(next(numbers), 4_000, owner=anna),
    ]
    handler = PurchaseHandler(accrual.database, PROGRAMME, accrual.rules, accrual.funds, BatchSize(10))

    for batch in [documents] if is_one_batch else [[each] for each in documents]:
        await handler.handle(batch_of(batch))

    assert (await accrual.balance(anna)).available == left


def test_whatever_gives_begins_a_run_behind_what_takes_back_where_that_may_be_clipped_below_a_cap() -> None:
    sale = purchase(1, 1000)
    back = return_of(sale, 2, {1: 1})
    events: list[PurchaseEvent] = [sale, back, back, purchase(4, 1), void_of(sale, 5), sale]
    documents = [document(event) for event in events]

    assert [len(run) for run in in_runs(documents, RuleSetHistory([CLIPPED]))] == [3, 2, 1]
    assert [len(run) for run in in_runs(documents, RuleSetHistory([FORGIVEN]))] == [3, 2, 1]
    assert in_runs(documents, RuleSetHistory([RULE_SET])) == [documents]
    assert [len(run) for run in in_runs([], RuleSetHistory([CLIPPED]))] == [0]
