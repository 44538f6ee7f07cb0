"""Three owners' lives over some months: what is asked of the ledger day by day, and what time itself brings about."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TypeAlias
from uuid import UUID

from hypothesis import strategies as st

from shared.ledger import (
    AdjustDown,
    AdjustUp,
    Capture,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Give,
    LotTerms,
    Refund,
    RefundOwed,
    Reinstate,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    WriteOff,
)
from tests.support.ledger_histories import OWNERS, Merge, drawn_command

FIRST_DAY = date(2026, 2, 20)  # lots last to the first of April, May or June
HOLD_DAYS = 20
EARNED_TIMES = 4  # as much as is otherwise asked for, so that most holds are made
WAITING_DAYS_MAX = 40
HOLD_OF_NOBODY = UUID(int=0)
LASTING_DAYS = 45  # of what is released, from then on
CAME_BACK_DAYS = 10  # of what comes back after its own last day, every other time; else it lapses at once

# More is earned than taken back, or all that an owner had would be debt. The job alone lets points expire.
KINDS = (
    *(Earn,) * 9,
    *(EarnPending, EarnPending, Release, Suspend, ClawBack),
    *(Reserve,) * 4,
    *(Capture,) * 4,
    *(Void, SpendLate, Refund, Refund, Refund),
    *(AdjustUp, AdjustDown, WriteOff, Reinstate, Give, Give),
)
NUMBERS = st.integers(0, 2**45 - 1)  # each stands for a command


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands that are posted together."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class DaysPass:
    """It is another day by now, and this is what has come due with it: holds that end, points that waited."""

    today: date
    due: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class JobPasses:
    """The job that expires points comes by."""


Step: TypeAlias = Batch | DaysPass | JobPasses | Merge


@dataclass(slots=True)
class Life:
    """Makes steps that follow from what was done before."""

    today: date = FIRST_DAY
    holds: list[tuple[UUID, UUID]] = field(default_factory=list)
    ends: dict[UUID, date] = field(default_factory=dict)
    waiting: list[tuple[date, EarnPending]] = field(default_factory=list)
    earned: list[Earn | EarnPending] = field(default_factory=list)
    owing: list[SpendLate] = field(default_factory=list)
    has_merged: bool = False

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Whatever owners ask for."""
        return Batch(tuple(self._command(number) for number in numbers))

    def _command(self, number: int) -> Command:
        command = drawn_command(number, self.holds, KINDS)
        if isinstance(command, Capture | Void | Refund):  # comes under the owner of the hold
            if isinstance(command, Void) and number % 3:  # mostly a part of it
                command = replace(command, points=1 + number % 4)
            return replace(command, came_back_expires_on=self._lives_until(number))
        command = replace(command, owner_id=OWNERS[number % len(OWNERS)])
        if isinstance(command, Earn | EarnPending) and self.has_merged:
            # What holds from before a merge reserve takes no room under a cap on the balance; on paper it would.
            command = replace(command, balance_max=None)
        if isinstance(command, AdjustUp) and self.owing and number % 2:  # a purchase that was owed is undone
            owing = self.owing.pop()
            terms = LotTerms(owing.partner_id, self.today, None, basis="compensation")
            points, owed_as = command.points, owing.taken_as or HOLD_OF_NOBODY
            return RefundOwed(owing.owner_id, "points", b"undone", points, owed_as, owing.partner_id, terms)
        if isinstance(command, ClawBack) and self.earned:  # mostly of what was earned, as returns are
            earned = self.earned[-1 - number % min(len(self.earned), 4)]
            award = earned.award if isinstance(earned, EarnPending) else command.award
            command = replace(command, owner_id=earned.owner_id, terms=earned.terms, award=award)
        if isinstance(command, Earn | EarnPending):
            command = replace(command, points=command.points * EARNED_TIMES)
            self.earned.append(command)
        if isinstance(command, EarnPending):
            self.waiting.append((self.today + timedelta(days=1 + number % WAITING_DAYS_MAX), command))
        if isinstance(command, SpendLate):
            command = replace(command, owes=number % 2 == 0 and command.taken_as is not None)
            self.owing += [command] if command.owes else []
            self.holds[-1:] = [] if command.taken_as is None else [(command.taken_as, command.owner_id)]
        if isinstance(command, Reserve):
            self.holds[-1] = (command.hold_id, command.owner_id)
            self.ends[command.hold_id] = self.today + timedelta(days=HOLD_DAYS)
        return command

    def days_pass(self, days: int) -> DaysPass:
        """Some days later: holds of before have ended, and what waited for a day is released to a lot of its own."""
        self.today += timedelta(days=days)
        ended = [hold for hold in self.holds if self.ends.get(hold[0], date.max) <= self.today]
        released = [command for due, command in self.waiting if due <= self.today]
        self.waiting = [(due, command) for due, command in self.waiting if due > self.today]
        for hold_id, _ in ended:
            del self.ends[hold_id]
        voids = [
            Void(owner_id, "points", b"time", hold_id, "expire", self._lives_until(hold_id.int))
            for hold_id, owner_id in ended
        ]
        return DaysPass(self.today, (*voids, *(self._release(command) for command in released)))

    def _lives_until(self, number: int) -> date | None:
        return self.today + timedelta(days=CAME_BACK_DAYS) if number % 2 else None

    def _release(self, waiting: EarnPending) -> Release:
        terms, lasts_to = waiting.terms, self.today + timedelta(days=LASTING_DAYS)
        into = LotTerms(terms.issuer, self.today, lasts_to, terms.basis, terms.funding, terms.limits)
        return Release(waiting.owner_id, "points", b"time", terms, waiting.award, into)

    def merge(self, merged_id: UUID, survivor_id: UUID) -> Merge:
        """Two owners turn out to be one."""
        self.has_merged = True
        return Merge(merged_id, survivor_id)


def lives(steps_max: int = 25) -> st.SearchStrategy[list[Step]]:
    """Whole lives, for a ledger that is too slow to be asked after each step."""
    drawn = st.tuples(st.sampled_from("bbbbbbdddjm"), st.lists(NUMBERS, min_size=2, max_size=4))
    return st.lists(drawn, min_size=10, max_size=steps_max).map(_live)


def _live(drawn: Sequence[tuple[str, list[int]]]) -> list[Step]:
    life, steps = Life(), list[Step]()
    for kind, numbers in drawn:
        match kind:
            case "b":
                steps.append(life.batch(numbers))
            case "d":
                steps.append(life.days_pass(1 + numbers[0] % 30))
            case "j":
                steps.append(JobPasses())
            case _:
                owners = (OWNERS[numbers[0] % 3], OWNERS[(numbers[0] + 1 + numbers[1] % 2) % 3])
                steps.append(life.merge(*owners))
    return steps
