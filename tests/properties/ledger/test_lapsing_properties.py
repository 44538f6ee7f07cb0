"""When the job that expires points comes by makes no difference to anybody."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ledger import Command
from tests.support.ledger_histories import Merge, histories_with_merges
from tests.support.ledger_memory import MemoryLedger

DAYS = (date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1), date(2026, 6, 1))  # lots expire on the last two


def live(history: Sequence[Command | Merge], cuts: Sequence[int], *, job_after: Sequence[int]) -> MemoryLedger:
    """A history over the days, with the job passing by just before these commands, and in the end."""
    ledger = MemoryLedger()
    for number, one in enumerate(history):
        ledger.today = DAYS[sum(cut <= number for cut in cuts)]
        if number in job_after:
            ledger.expire_due()
        if isinstance(one, Merge):
            ledger.merge(one.merged_id, one.survivor_id)
        else:
            ledger.post([one])
    ledger.today = DAYS[-1]
    ledger.expire_due()
    return ledger


def lapsed_by_lot(ledger: MemoryLedger) -> Counter[tuple[int, bytes | None]]:
    points: Counter[tuple[int, bytes | None]] = Counter()
    for transfer in ledger.transfers:
        if transfer.legs.purpose == "expire_points":
            points[transfer.account_id, transfer.debit_lot] += transfer.points
    return points


@settings(max_examples=60, deadline=None)
@given(
    histories_with_merges(has_caps=True),
    st.lists(st.integers(0, 40), min_size=3, max_size=3),
    st.sets(st.integers(0, 40)),
)
def test_when_the_job_comes_by_makes_no_difference(
    history: list[Command | Merge], cuts: list[int], job_after: set[int]
) -> None:
    """The same balances, debts, lots and holds, and the same points lapsed of the same lots."""
    late, often = live(history, sorted(cuts), job_after=()), live(history, sorted(cuts), job_after=sorted(job_after))
    assert late.balances() == often.balances()
    assert late.lots_with_points() == often.lots_with_points()
    assert late.holds_by_state() == often.holds_by_state()
    assert lapsed_by_lot(late) == lapsed_by_lot(often)
