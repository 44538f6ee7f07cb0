"""Whatever tills ask, receipts say and time does, in whatever order and at whatever time: redemption answers, publishes
and keeps what it would on paper, and its ledger explains itself.

With ``TESSERA_TEST_DEPTH`` set, so many times as many lives are lived.
"""

import copy
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.database import Database
from shared.ids import new_id
from shared.ledger import ClawBack, Command, Earn, Expire, verify
from tests.support import redemption_steps as life
from tests.support import redemption_voucher_steps as wish
from tests.support.redemption import Admin
from tests.support.redemption_life import lives
from tests.support.redemption_names import LOTS, POINTS, new_names
from tests.support.redemption_paper import PaperRedemptions
from tests.support.redemption_play import Played
from tests.support.redemption_play_stage import FIRST_MOMENT, Stage
from tests.support.redemption_state import Seen, on_paper, seen

DEPTH = int(os.environ.get("TESSERA_TEST_DEPTH", "1"))
ENDS_AFTER = timedelta(days=90)
RECEIPTS_APART = 10
FOUND = (Phase.explicit, Phase.reuse, Phase.generate)  # a life is short enough to be read as it was found
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
UNEVENTFUL = life.Life((life.UNHEARD,) * life.RECEIPTS, (), (), is_household=False, members_owe=False, came_back_days=0)

numbers = itertools.count(1)


@dataclass(slots=True)
class Lived:
    """The same life, on the database and on paper."""

    played: Played
    paper: PaperRedemptions

    async def take(self, step: life.Step) -> None:
        """A step, after which everything is the same on both."""
        match step:
            case life.HoursPass(hours):
                self.pass_to(self.played.stage.now + timedelta(hours=hours))
            case life.Earn() | life.TakeBack() | life.Lapse():
                await self.others(step)
            case life.Again(back):
                repeated = await self.played.again(back)
                if repeated is not None:
                    first = repeated.first
                    assert repeated.now == (first.words if first.is_kept else self.paper.take(first.step))
            case life.AtOnce(steps, turns):
                await self.at_once(steps, turns)
            case _:
                assert await self.played.take(step) == self.paper.take(step)
                if isinstance(step, life.Receipt):
                    back = self.paper.settle_returns(step.receipt)
                    assert await self.played.settle_returns(step.receipt) == f"back {back}"
                if isinstance(step, life.Undo):
                    await self.give_vouchers_back(step.receipt)
        await self.agree()

    async def give_vouchers_back(self, receipt: int) -> None:
        """What a consumer does after it has read a void."""
        step = wish.GiveBack(receipt)
        assert await self.played.take(step) == self.paper.take(step)

    def pass_to(self, now: datetime) -> None:
        self.played.stage.now = now
        self.paper.pass_to(now)

    async def others(self, step: life.Earn | life.TakeBack | life.Lapse) -> None:
        """What accrual does to the ledger meanwhile."""
        commands: list[Command]
        match step:
            case life.Earn(member, points, lot):
                owner_id = self.paper.names.members[member]
                commands = [Earn(owner_id, POINTS, new_id().bytes, points, LOTS[lot])]
            case life.TakeBack(member, points, lot):
                owner_id, reference = self.paper.names.members[member], new_id().bytes
                commands = [ClawBack(owner_id, POINTS, reference, points, LOTS[lot], reference)]
            case life.Lapse():
                today = self.paper.now.date()
                over = [terms for terms in LOTS if terms.expires_on is not None and terms.expires_on <= today]
                commands = [
                    Expire(owner_id, POINTS, b"job", terms) for owner_id in self.paper.names.members for terms in over
                ]
        for command in commands:
            self.paper.ledger.post(command)
        if commands:
            await self.played.post(commands)

    async def at_once(self, steps: Sequence[life.Single], turns: Sequence[int]) -> list[str]:
        """Some order of them explains what was answered to each, which this gives, what was published, and what is
        left."""
        said = await self.played.at_once(steps, turns)
        found = await self.look()
        for paper in explained(self.paper, dict(enumerate(zip(steps, said, strict=True)))):
            if (sorted(paper.told, key=repr), on_paper(paper)) == found:
                self.paper = paper
                self.paper.told.clear()
                break
        else:
            raise AssertionError(f"no order explains {list(zip(steps, said, strict=True))}: {found.told}")
        for step in steps:
            if isinstance(step, life.Undo):
                await self.give_vouchers_back(step.receipt)
        return said

    async def look(self) -> Seen:
        """What was published since, and how everything stands."""
        return await seen(self.played.stage.database, self.paper.names, self.paper.now.date())

    async def agree(self) -> None:
        """What was published and what is left is the same."""
        published, stands = await self.look()
        assert published == sorted(self.paper.told, key=repr)
        self.paper.told.clear()
        for kept, expected in zip(stands, on_paper(self.paper), strict=True):
            assert kept == expected

    async def end(self) -> None:
        """Time passes until nothing is reserved any more."""
        self.pass_to(self.paper.now + ENDS_AFTER)
        for step in (life.Expire(), wish.ExpireVouchers(), life.Lapse()):
            await self.take(step)
        assert all(balance.held == 0 for balance in self.paper.ledger.balances().values())


def explained(paper: PaperRedemptions, left: Mapping[int, tuple[life.Single, str]]) -> Iterator[PaperRedemptions]:
    """How everything may stand after these steps, by each order in which they are answered as they were."""
    if not left:
        yield paper
    for number, (step, said) in left.items():
        for passed_over in passed(paper, step, said):
            after = copy.deepcopy(paper)
            after.passed_over = passed_over
            if after.take(step) == said:
                after.passed_over = frozenset()
                yield from explained(after, {one: other for one, other in left.items() if one != number})


def passed(paper: PaperRedemptions, step: life.Single, said: str) -> Iterable[frozenset[int]]:
    """Whoever ends holds waits for nobody: holds that somebody is busy with are passed over, whichever they are."""
    due = paper.due_by(step)
    if due is None:
        return [frozenset()]
    expired = int(said.removeprefix("expired "))
    return map(frozenset, itertools.combinations(due, len(due) - expired)) if expired <= len(due) else ()


async def begun(lived: life.Life, database: Database, admin: Admin, own_tables: list[str]) -> Lived:
    """A life from its beginning. One database serves all, and is emptied before each: jobs ask for whatever is due."""
    await admin.execute(";".join(f"delete from {table}" for table in own_tables))
    names = new_names(RECEIPTS_APART * next(numbers))
    both = Lived(Played(Stage(database, lived, names)), PaperRedemptions(lived, names, FIRST_MOMENT))
    await both.played.begin()
    return both


@settings(max_examples=12 * DEPTH, suppress_health_check=SHARED, phases=FOUND)
@given(lived=lives())
async def test_a_whole_life_goes_as_on_paper(
    lived: life.Life, as_service: Database, admin: Admin, reader: Admin, own_tables: list[str]
) -> None:
    both = await begun(lived, as_service, admin, own_tables)
    for number, step in enumerate(lived.steps):
        try:
            await both.take(step)
        except Exception as error:
            error.add_note("\n".join(map(repr, (lived, *lived.steps[: number + 1]))))
            raise
    await both.end()
    verification = await verify(reader)
    assert verification.is_sound, verification.findings


@settings(max_examples=6 * DEPTH, suppress_health_check=SHARED)
@given(order=st.permutations(range(3)), turns=st.tuples(*(st.integers(0, 12) for _ in range(3))))
async def test_of_capture_void_and_expiry_exactly_one_wins_whatever_the_timing(
    order: list[int], turns: tuple[int, ...], as_service: Database, admin: Admin, own_tables: list[str]
) -> None:
    both = await begun(UNEVENTFUL, as_service, admin, own_tables)
    for step in (life.Earn(0, 50, 0), life.Hold(0, 0, 30), life.HoursPass(life.HOURS_OF_A_HOLD + 1)):
        await both.take(step)
    ending = (life.Capture(0, 0), life.Void(0), life.Expire())

    said = await both.at_once([ending[one] for one in order], turns)

    won = ("took 30 of captured, 0 left", "voided 30", "expired 1")
    assert sorted(one in won for one in said) == [False, False, True]
    for late in ending:  # whoever asks afterwards is told the same
        await both.take(late)
