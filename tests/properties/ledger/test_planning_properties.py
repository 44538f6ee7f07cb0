"""Whatever is posted, and however it is cut into batches: the same ledger, and one that explains itself."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from shared.ledger import Command, needs, spending
from shared.ledger.legs import BETWEEN_OWNERS, Position
from tests.support.ledger_histories import KINDS, cut, cuts, histories
from tests.support.ledger_memory import MemoryLedger
from tests.support.ledger_model import PaperLedger

LOTS_PER_HOLD_MAX = 2  # so low that small histories reach it


@pytest.fixture(autouse=True, scope="module")
def few_lots_per_hold() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spending, "LOTS_PER_HOLD_MAX", LOTS_PER_HOLD_MAX)
        patch.setattr(needs, "LOTS_PER_HOLD_MAX", LOTS_PER_HOLD_MAX)
        yield


@settings(max_examples=600)
@given(history=histories(), sizes=cuts())
def test_any_batching_agrees_with_paper(history: list[Command], sizes: list[int]) -> None:
    paper, memory = PaperLedger(LOTS_PER_HOLD_MAX), MemoryLedger()
    expected = [paper.post(command) for command in history]
    outcomes = [outcome for batch in cut(history, sizes) for outcome in memory.post(batch)]
    assert outcomes == expected
    assert memory.balances() == paper.balances()
    assert memory.lots_with_points() == paper.lots()
    assert memory.holds_by_state() == paper.holds()
    assert memory.owed() == paper.owed()


@given(history=histories(), sizes=cuts())
def test_any_batching_writes_the_same_transfers(history: list[Command], sizes: list[int]) -> None:
    in_batches, one_by_one = MemoryLedger(), MemoryLedger()
    for batch in cut(history, sizes):
        in_batches.post(batch)
    for command in history:
        one_by_one.post([command])
    assert in_batches.transfers == one_by_one.transfers
    assert in_batches.lots == one_by_one.lots  # the empty ones as well


@given(history=histories(), sizes=cuts())
def test_every_amount_follows_from_the_transfers(history: list[Command], sizes: list[int]) -> None:
    memory = MemoryLedger()
    for batch in cut(history, sizes):
        memory.post(batch)
        positions: dict[tuple[int, Position], int] = defaultdict(int)
        remaining: dict[tuple[int, bytes], int] = defaultdict(int)
        reserved: dict[tuple[int, bytes], int] = defaultdict(int)
        for transfer in memory.transfers:
            for sign, position, lot_key in (
                (-1, transfer.legs.debit, transfer.debit_lot),
                (1, transfer.legs.credit, transfer.credit_lot),
            ):
                assert (transfer.credit_account_id is not None) == (transfer.legs in BETWEEN_OWNERS)
                account_id = (transfer.credit_account_id if sign > 0 else None) or transfer.account_id
                positions[account_id, position] += sign * transfer.points
                if lot_key is not None:
                    amounts = reserved if position == "held" else remaining
                    amounts[account_id, lot_key] += sign * transfer.points
        for account in memory.accounts.values():
            assert account.available == positions[account.account_id, "available"]
            assert account.held == positions[account.account_id, "held"]
            assert account.pending == positions[account.account_id, "pending"]
            assert account.debt == -positions[account.account_id, "debt"]
        for name, lot in memory.lots.items():
            assert (lot.remaining, lot.reserved) == (remaining[name], reserved[name])
        assert sum(positions.values()) == 0  # every leg has its other leg


@given(history=histories(kinds=KINDS))
def test_owners_do_not_affect_each_other(history: list[Command]) -> None:
    interleaved, apart = MemoryLedger(), MemoryLedger()
    interleaved.post(history)
    for owner in sorted({command.owner_id for command in history}):
        apart.post([command for command in history if command.owner_id == owner])
    assert apart.balances() == interleaved.balances()
    assert apart.lots_with_points() == interleaved.lots_with_points()
