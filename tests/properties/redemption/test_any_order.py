"""Holds, captures, voids, receipts and expiry in any order: nothing is lost, doubled or oversold."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.redemption.domain.capturing import Repeat, Take, decide_capture, decide_tender
from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.holding import (
    HoldRequest,
    MemberFacts,
    Reserve,
    decide_early_void,
    decide_expiry,
    decide_hold,
    decide_void,
    declined_by_ledger,
)
from services.redemption.domain.redemption import Capture, Redemption, State
from services.redemption.domain.tender import PointsTender

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ENDS = NOW + timedelta(minutes=15)
ANNA = UUID(int=7)
REDEMPTIONS = (UUID(int=1), UUID(int=2))
RECEIPTS = (b"r1", b"r2", b"r3")


@dataclass(frozen=True)
class Hold:
    redemption_id: UUID
    points: int


@dataclass(frozen=True)
class HttpCapture:
    redemption_id: UUID
    receipt_key: bytes
    points: int | None
    more: bool


@dataclass(frozen=True)
class Void:
    redemption_id: UUID


@dataclass(frozen=True)
class Expire:
    redemption_id: UUID


@dataclass(frozen=True)
class Receipt:
    redemption_id: UUID
    receipt_key: bytes
    points: int


Step = Hold | HttpCapture | Void | Expire | Receipt

points = st.integers(1, 60)
redemption_ids = st.sampled_from(REDEMPTIONS)
receipt_keys = st.sampled_from(RECEIPTS)
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Hold, redemption_ids, points),
    st.builds(HttpCapture, redemption_ids, receipt_keys, st.none() | points, st.booleans()),
    st.builds(Void, redemption_ids),
    st.builds(Expire, redemption_ids),
    st.builds(Receipt, redemption_ids, receipt_keys, points),
)


@dataclass
class World:
    """The decisions with a ledger that can only add: one member's available, held and spent points."""

    available: int
    held: int = 0
    spent: int = 0
    redemptions: dict[UUID, Redemption] = field(
        default_factory=lambda: {each: Redemption(each, "points") for each in REDEMPTIONS}
    )
    captures: dict[tuple[UUID, bytes], Capture] = field(default_factory=dict)
    asked: dict[tuple[UUID, bytes], int] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """One step; what is refused changes nothing."""
        before = self.redemptions[step.redemption_id]
        try:
            match step:
                case Hold():
                    self._hold(before, step)
                case HttpCapture():
                    key = (step.redemption_id, step.receipt_key)
                    taken = decide_capture(
                        before, step.receipt_key, step.points, self.captures.get(key), more=step.more
                    )
                    self._apply(taken)
                case Void():
                    self._void(before)
                case Expire():
                    let_go = decide_expiry(before, ENDS, ENDS)
                    if let_go is not None:
                        self._give_back(let_go.redemption, let_go.points)
                case Receipt():
                    self._receipt(before, step)
        except RedemptionError:
            assert self.redemptions[step.redemption_id] == before

    def _hold(self, before: Redemption, step: Hold) -> None:
        request, member = HoldRequest("grocer", step.points, ENDS), MemberFacts(ANNA, "active")
        decided = decide_hold(before, request, member, NOW, has_waiting_receipt=False)
        if not isinstance(decided, Reserve):
            return
        if step.points > self.available:
            self.redemptions[step.redemption_id] = declined_by_ledger(decided, "insufficient_points", NOW).redemption
            return
        self.available -= step.points
        self.held += step.points
        self.redemptions[step.redemption_id] = decided.redemption

    def _void(self, before: Redemption) -> None:
        if before.state is State.AWAITED:
            self.redemptions[before.redemption_id] = decide_early_void(before, "grocer", NOW)
            return
        let_go = decide_void(before, NOW)
        self._give_back(let_go.redemption, let_go.points)

    def _receipt(self, before: Redemption, step: Receipt) -> None:
        tender = PointsTender(
            receipt_key=step.receipt_key,
            content_hash="h",
            redemption_id=step.redemption_id,
            partner_id="grocer",
            member_id=ANNA,
            identifier_hash=None,
            points=step.points,
            is_priced=True,
            traceparent=None,
        )
        key = (step.redemption_id, step.receipt_key)
        decided = decide_tender(before, tender, self.captures.get(key), is_refused=False)
        assert isinstance(decided, Take | Repeat)  # a known member's receipt is a fact: it is never refused
        self._apply(decided)

    def _apply(self, decided: Take | Repeat) -> None:
        if isinstance(decided, Repeat):
            return
        late = min(decided.from_available, self.available)
        redemption, capture = decided.settled(decided.from_available - late, NOW)
        key = (redemption.redemption_id, capture.receipt_key)
        assert key not in self.captures  # a receipt takes once
        self.captures[key] = capture
        self.asked[key] = decided.from_hold + decided.from_available
        released = decided.redemption.open_points - decided.from_hold - decided.open_after
        assert released == capture.released_points >= 0
        self.held -= decided.from_hold + released
        self.available += released - late
        self.spent += decided.from_hold + late
        self.redemptions[redemption.redemption_id] = redemption

    def _give_back(self, redemption: Redemption, points: int) -> None:
        self.held -= points
        self.available += points
        self.redemptions[redemption.redemption_id] = redemption

    def check(self, funded: int) -> None:
        """What always holds."""
        rows = self.redemptions.values()
        assert min(self.available, self.held) >= 0
        assert self.available + self.held + self.spent == funded
        assert self.held == sum(row.open_points for row in rows)
        assert self.spent == sum(row.captured_points for row in rows)
        for row in rows:
            mine = [
                capture for (redemption_id, _), capture in self.captures.items() if redemption_id == row.redemption_id
            ]
            assert (row.state is State.HELD) == (row.open_points > 0)
            assert 0 <= row.open_points <= row.held_points
            assert row.captured_points == sum(capture.points for capture in mine)
            assert row.uncovered_points == sum(capture.uncovered_points for capture in mine)
        for key, capture in self.captures.items():
            assert capture.asked_points == self.asked[key]
            assert 0 <= capture.late_points <= capture.points


@given(st.integers(0, 100), st.lists(steps, max_size=14))
def test_any_interleaving_loses_doubles_and_oversells_nothing(funded: int, taken: list[Step]) -> None:
    world = World(funded)
    for step in taken:
        world.take(step)
        world.check(funded)


@given(st.integers(0, 100), st.lists(steps, max_size=10))
def test_taking_every_receipt_again_changes_nothing(funded: int, taken: list[Step]) -> None:
    world = World(funded)
    for step in taken:
        world.take(step)
    world_before = replace(world, redemptions=dict(world.redemptions), captures=dict(world.captures))
    captured = set(world.captures)
    for step in taken:
        if isinstance(step, Receipt | HttpCapture) and (step.redemption_id, step.receipt_key) in captured:
            world.take(step)

    assert world == world_before


@given(st.integers(0, 100), points, points)
def test_the_order_of_hold_void_and_receipt_decides_nothing_about_what_the_receipt_took(
    funded: int, held: int, paid: int
) -> None:
    """Whatever overtakes what, the receipt takes what it says as far as the balance goes; nothing stays reserved."""
    one = REDEMPTIONS[0]
    outcomes = set()
    steps_taken: list[Step] = [Hold(one, held), Void(one), Receipt(one, RECEIPTS[0], paid)]
    for order in permutations(steps_taken):
        world = World(funded)
        for step in order:
            world.take(step)
        world.check(funded)
        outcomes.add((world.available, world.held, world.spent))

    assert outcomes == {(funded - min(paid, funded), 0, min(paid, funded))}


@given(st.integers(1, 100), points, st.booleans())
def test_http_and_receipt_take_once_whichever_is_first(funded: int, held: int, receipt_first: bool) -> None:
    one = REDEMPTIONS[0]
    world = World(funded + held)
    world.take(Hold(one, held))
    both: list[Step] = [HttpCapture(one, RECEIPTS[0], None, more=False), Receipt(one, RECEIPTS[0], held)]
    for step in reversed(both) if receipt_first else both:
        world.take(step)

    assert (world.available, world.held, world.spent) == (funded, 0, held)
