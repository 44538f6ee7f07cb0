"""Whatever is asked of the ledger, in whatever order and on whatever day: after every step it explains itself.

The ledger is held against paper (``PaperLedger``), which knows no transfers, no plans and no job. With
``TESSERA_TEST_DEPTH`` set, so many times as many lives are lived.
"""

import os
from collections import defaultdict
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.ledger import Balances, Command, Expire, Outcome, Posted, needs, spending
from shared.ledger.legs import ALL_LEGS, BETWEEN_OWNERS
from tests.support.ledger_histories import OWNERS, Merge
from tests.support.ledger_life import NUMBERS, Batch, DaysPass, JobPasses, Life, Step
from tests.support.ledger_memory import MemoryLedger
from tests.support.ledger_model import PaperLedger

DEPTH = int(os.environ.get("TESSERA_TEST_DEPTH", "1"))
LOTS_PER_HOLD_MAX = 3  # so low that small histories reach it


class LivingLedger(RuleBasedStateMachine):
    """The ledger in memory beside the one on paper."""

    @initialize(numbers=st.lists(NUMBERS, min_size=3, max_size=6))
    def begin(self, numbers: list[int]) -> None:
        self.patch = pytest.MonkeyPatch()
        for module in (spending, needs):
            self.patch.setattr(module, "LOTS_PER_HOLD_MAX", LOTS_PER_HOLD_MAX)
        self.life, self.memory, self.paper = Life(), MemoryLedger(), PaperLedger(LOTS_PER_HOLD_MAX)
        self.see_day()
        self.take(self.life.batch(numbers))

    def teardown(self) -> None:
        self.patch.undo()

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=4))
    def owners_ask(self, numbers: list[int]) -> None:
        self.take(self.life.batch(numbers))

    @rule(days=st.integers(1, 30))
    def days_pass(self, days: int) -> None:
        self.take(self.life.days_pass(days))

    @rule()
    def the_job_comes_by(self) -> None:
        self.take(JobPasses())

    @rule(owners=st.permutations(OWNERS))
    def two_turn_out_to_be_one(self, owners: list[UUID]) -> None:
        self.take(self.life.merge(owners[0], owners[1]))

    def take(self, step: Step) -> None:
        match step:
            case Batch(commands):
                self.post(commands)
            case DaysPass(_, due):
                self.see_day()
                self.post(due)
            case JobPasses():
                self.memory.expire_due()
            case Merge():
                self.memory.merge(*step)
                self.paper.merge(*step)

    def see_day(self) -> None:
        self.memory.today = self.life.today
        self.paper.see_day(self.life.today)

    def post(self, commands: tuple[Command, ...]) -> None:
        on_paper = [self.paper.post(command) for command in commands]
        for outcome, expected in zip(self.memory.post(commands), on_paper, strict=True):
            assert self.told(outcome) == self.told(expected)

    def told(self, outcome: Outcome) -> Outcome:
        """Balances are compared after the step: what has lapsed may still stand in them where nobody has looked.
        So it is with what a job finds: on paper it lapsed at midnight.
        """
        outcome = outcome._replace(balance=Balances())
        if isinstance(outcome, Posted):
            outcome = outcome._replace(receiver=None)
            if isinstance(outcome.command, Expire):
                return outcome._replace(points=0, issuers=(), funded=())
        return outcome

    @invariant()
    def it_agrees_with_paper(self) -> None:
        assert self.memory.balances_today() == self.paper.balances()
        assert self.memory.lots_today() == self.paper.lots()
        assert self.memory.holds_by_state() == self.paper.holds()
        assert self.memory.owed() == self.paper.owed()

    @invariant()
    def every_amount_is_the_sum_of_its_transfers(self) -> None:
        positions, remaining, reserved = summed(self.memory)
        for account in self.memory.accounts.values():
            found = [positions[account.account_id, position] for position in ("available", "held", "pending", "debt")]
            assert [account.available, account.held, account.pending, -account.debt] == found
        for name, lot in self.memory.lots.items():
            assert (lot.remaining, lot.reserved) == (remaining[name], reserved[name])
        assert sum(positions.values()) == 0  # debits = credits

    @invariant()
    def balances_lots_holds_and_debts_are_one(self) -> None:
        for (owner, _), account in self.memory.accounts.items():
            lots = [lot for lot in self.memory.lots.values() if lot.account_id == account.account_id]
            holds = [hold for hold in self.memory.holds.values() if hold.account_id == account.account_id]
            assert account.available == sum(lot.remaining for lot in lots if lot.award is None)
            assert account.pending == sum(lot.remaining for lot in lots if lot.award is not None)
            assert account.held == sum(lot.reserved for lot in lots)
            assert account.held == sum(hold.reserved for hold in holds)
            debts = (debt.owed for debt in self.memory.debts.values() if debt.account_id == account.account_id)
            assert account.debt == sum(debts)
            assert min(account[1:]) >= 0
            assert not account.debt or not account.available
            if UUID(int=owner) in self.memory.survivors:
                assert (account.available, account.pending, account.debt) == (0, 0, 0)

    @invariant()
    def transfers_go_known_ways_and_are_never_changed(self) -> None:
        known: list[object] = getattr(self, "known", [])
        assert self.memory.transfers[: len(known)] == known
        for transfer in self.memory.transfers[len(known) :]:
            assert transfer.legs in ALL_LEGS
            assert transfer.points > 0
            assert (transfer.credit_account_id is not None) == (transfer.legs in BETWEEN_OWNERS)
        self.known = list(self.memory.transfers)


def summed(
    memory: MemoryLedger,
) -> tuple[dict[tuple[int, str], int], dict[tuple[int, bytes], int], dict[tuple[int, bytes], int]]:
    """Positions of accounts, and what lots have remaining and reserved, as the transfers make them."""
    positions: defaultdict[tuple[int, str], int] = defaultdict(int)
    remaining: defaultdict[tuple[int, bytes], int] = defaultdict(int)
    reserved: defaultdict[tuple[int, bytes], int] = defaultdict(int)
    for transfer in memory.transfers:
        crediting = transfer.credit_account_id or transfer.account_id
        legs = (
            (transfer.account_id, transfer.legs.debit, transfer.debit_lot, -transfer.points),
            (crediting, transfer.legs.credit, transfer.credit_lot, transfer.points),
        )
        for account_id, position, lot_key, points in legs:
            positions[account_id, position] += points
            if lot_key is not None:
                (reserved if position == "held" else remaining)[account_id, lot_key] += points
    return positions, remaining, reserved


TestLivingLedger = LivingLedger.TestCase
TestLivingLedger.settings = settings(max_examples=60 * DEPTH, stateful_step_count=25, deadline=None)
