"""However the stream is cut into batches, and whatever of it comes again: the same balances, lots and traces."""

from collections.abc import Callable
from itertools import pairwise

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.database import Database
from shared.events.purchases import PurchaseRecorded, ReceiptCorrected, ReturnRecorded
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase
from tests.support.receipts import card, correction_of, enrolled, line, linked, member, purchase, return_of

OWNERS = [member(number) for number in range(1, 4)]
EXAMPLES = 12
# Everything a run may have left behind, as a comparable value. Account ids and times differ between runs.
_LEFT = """
    select 'balance', owner_id::text, available::text, pending::text, debt::text from ledger_accounts
    union all
    select 'lot', owner_id::text, encode(lot_key, 'hex'), remaining::text, reserved::text
        from ledger_lots join ledger_accounts using (account_id)
    union all
    select 'award', encode(natural_key, 'hex'), points::text, taken_back::text, encode(decision, 'escape') from awards
    union all
    select 'claim', encode(natural_key, 'hex'), state, owner_id::text, '' from claims
    order by 1, 2, 3, 4, 5
"""
_EMPTY = """
    truncate accrual.claims, accrual.awards, accrual.documents, accrual.returns, accrual.returned_lines,
        accrual.corrections,
        accrual.refusals, accrual.parked, accrual.meeting_rows, accrual.fraud_holds, accrual.outbox,
        ledger.ledger_accounts, ledger.ledger_lots, ledger.ledger_transfers
"""

Event = PurchaseRecorded | ReturnRecorded | ReceiptCorrected


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Purchases by card or member, some never registered, returns and corrections anywhere after or before them."""
    events: list[Event] = []
    for number in range(draw(st.integers(2, 8))):
        who = draw(st.integers(0, 3))
        lines = [
            line(row + 1, draw(st.integers(0, 3_000)), draw(st.sampled_from(["GROCERY", "PRODUCE"])), 2_000)
            for row in range(draw(st.integers(1, 3)))
        ]
        by_card = draw(st.booleans()) or who == 3
        bought = purchase(
            number,
            lines,
            owner=None if by_card else OWNERS[who],
            identifier_hash=card(who + 1) if by_card else None,
            partner_id=draw(st.sampled_from(["grocer", "fuel"])),
        )
        events.append(bought)
        if draw(st.booleans()):
            events.append(return_of(bought, 1_000 + number, {1: draw(st.integers(1, 2_000))}))
        if draw(st.booleans()):
            rows = [row.model_copy(update={"amount_minor": draw(st.integers(0, 3_000))}) for row in lines]
            events.append(correction_of(bought, 2_000 + number, rows))
    return draw(st.permutations(events))


@st.composite
def plays(draw: st.DrawFn) -> tuple[list[Event], list[Event], list[int]]:
    """A stream, the same with repetitions, and where to cut it."""
    stream = draw(streams())
    repeated = list(stream)
    for event in draw(st.lists(st.sampled_from(stream), max_size=len(stream))):
        repeated.insert(draw(st.integers(repeated.index(event) + 1, len(repeated))), event)
    return stream, repeated, draw(st.lists(st.integers(1, len(repeated)), max_size=6))


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    registered = [(enrolled(owner), linked(owner, card(number + 1))) for number, owner in enumerate(OWNERS)]
    await accrual.members(*(event for pair in registered for event in pair))
    return accrual


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(play=plays())
async def test_any_batching_and_any_repetition_leave_the_same(
    play: tuple[list[Event], list[Event], list[int]], accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    stream, repeated, cuts = play

    one_by_one = await _left_by([[event] for event in stream], accrual, fresh_database)
    otherwise = await _left_by(_cut(repeated, cuts), accrual, fresh_database)

    assert otherwise == one_by_one


async def _left_by(
    batches: list[list[Event]], accrual: Accrual, fresh_database: FreshDatabase
) -> list[tuple[str, ...]]:
    admin = await asyncpg.connect(fresh_database.admin_url)
    try:
        await admin.execute(_EMPTY)
    finally:
        await admin.close()
    for batch in batches:
        await accrual.award_in_runs(*batch)
    while released := await accrual.released():  # returns and corrections that had to wait come back like this
        await accrual.award_in_runs(*released)
    async with accrual.database.transaction() as transaction:
        return [tuple(row) for row in await transaction.raw.fetch(_LEFT)]


def _cut(events: list[Event], cuts: list[int]) -> list[list[Event]]:
    edges = [0, *sorted(cuts), len(events)]
    return [events[start:end] for start, end in pairwise(edges) if start < end]
