"""Whoever turns out to be one person, and whenever: no point is lost, doubled or stranded."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from shared.ledger import Command, needs, spending
from shared.ledger.legs import BETWEEN_OWNERS, Position
from tests.support.ledger_histories import Merge, cut, cuts, histories_with_merges
from tests.support.ledger_memory import MemoryLedger
from tests.support.ledger_model import PaperLedger

LOTS_PER_HOLD_MAX = 2  # so low that small histories reach it


@pytest.fixture(autouse=True, scope="module")
def few_lots_per_hold() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spending, "LOTS_PER_HOLD_MAX", LOTS_PER_HOLD_MAX)
        patch.setattr(needs, "LOTS_PER_HOLD_MAX", LOTS_PER_HOLD_MAX)
        yield


def play(memory: MemoryLedger, history: list[Command | Merge], sizes: list[int]) -> None:
    """Commands in batches, merges between them."""
    for batch in cut(history, sizes):
        commands: list[Command] = []
        for step in batch:
            if isinstance(step, Merge):
                memory.post(commands)
                memory.merge(*step)
                commands = []
            else:
                commands.append(step)
        memory.post(commands)


@settings(max_examples=400)
@given(history=histories_with_merges(), sizes=cuts())
def test_any_order_of_merges_and_commands_agrees_with_paper(history: list[Command | Merge], sizes: list[int]) -> None:
    paper, memory = PaperLedger(LOTS_PER_HOLD_MAX), MemoryLedger()
    for step in history:
        if isinstance(step, Merge):
            paper.merge(*step)
        else:
            paper.post(step)
    play(memory, history, sizes)
    assert memory.balances() == paper.balances()
    assert memory.lots_with_points() == paper.lots()
    assert memory.holds_by_state() == paper.holds()
    assert memory.owed() == paper.owed()


@given(history=histories_with_merges(), sizes=cuts())
def test_merged_accounts_keep_nothing_but_holds_and_every_amount_follows_from_the_transfers(
    history: list[Command | Merge], sizes: list[int]
) -> None:
    memory = MemoryLedger()
    play(memory, history, sizes)
    positions: dict[tuple[int, Position], int] = defaultdict(int)
    amounts: dict[tuple[int, bytes], int] = defaultdict(int)
    for transfer in memory.transfers:
        crediting = transfer.credit_account_id or transfer.account_id
        assert (transfer.credit_account_id is not None) == (transfer.legs in BETWEEN_OWNERS)
        positions[transfer.account_id, transfer.legs.debit] -= transfer.points
        positions[crediting, transfer.legs.credit] += transfer.points
        if transfer.debit_lot is not None:
            amounts[transfer.account_id, transfer.debit_lot] -= transfer.points
        if transfer.credit_lot is not None:
            amounts[crediting, transfer.credit_lot] += transfer.points
    for (owner, _), account in memory.accounts.items():
        assert account.available == positions[account.account_id, "available"]
        assert account.held == positions[account.account_id, "held"]
        assert account.pending == positions[account.account_id, "pending"]
        assert account.debt == -positions[account.account_id, "debt"]
        if any(owner == merged.int for merged in memory.survivors):
            assert (account.available, account.pending, account.debt) == (0, 0, 0)
    for name, lot in memory.lots.items():
        assert lot.remaining + lot.reserved == amounts[name]
    outside = ("issue", "redeem", "breakage", "adjustment")
    given = -sum(points for (_, position), points in positions.items() if position in outside)
    assert given == sum(sum(account[1:4]) - account.debt for account in memory.accounts.values())
