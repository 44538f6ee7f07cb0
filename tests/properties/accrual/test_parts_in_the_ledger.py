"""Awards in parts in the ledger: whatever order returns, releases and holds come in, the same points are left."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.award_parts import (
    EarnedPart,
    KnownPart,
    after_return,
    award_of_part,
    earned_parts,
    points_kept,
    released_terms,
    take_back,
)
from services.accrual.domain.evaluation import evaluate_purchase, evaluate_what_is_kept
from shared.ledger import Balances, ClawBack, Earn, EarnPending, LotTerms, Release, Suspend
from tests.support.earning_in_parts import STATUS, rule, rule_set
from tests.support.ledger_memory import MemoryLedger
from tests.support.receipts import line, purchase

ANNA, KEY, DAY = UUID(int=1), b"receipt", date(2026, 11, 1)
EVENT = {"kind": "event", "event": "delivered", "days_max": 30, "at_last": "lapse"}
RULES = rule_set(
    rule("base"),
    rule("status", STATUS, pending_days=14),
    rule("waits", apply_in="fixed", pending_days=7, expires_after_days=90),
    rule("order", apply_in="fixed", condition={"categories": ["ORDER"]}, pending=EVENT),
    expires_after_days=365,
    expiry_counts_from="release",
)
BOUGHT = purchase(1, [line(1, 1_055, "ORDER"), line(2, 730), line(3, 315, "ORDER")]).data
# Goods that come back, fraud's hold and its release (in this order), and the releases of what waits.
RETURNS = [{1: 400}, {1: 600}, {2: 1_000}, {3: 250}]
STEPS = [
    *(("return", number) for number in range(len(RETURNS))),
    ("hold", 0),
    *(("due", number) for number in (1, 2, 3)),
]


@dataclass
class Held:
    """One award as accrual keeps it, on a ledger."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    parts: tuple[KnownPart, ...] = ()
    returned: dict[int, int] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    due: set[int] = field(default_factory=set)
    lots: dict[int, LotTerms] = field(default_factory=dict)
    is_held: bool = False

    def earn(self, earned: tuple[EarnedPart, ...]) -> None:
        for part in earned:
            kind, terms, award = part.key.point_type or "points", part.key.terms, award_of_part(KEY, part.number)
            self.lots[part.number] = terms
            if part.key.wait is None:
                self.ledger.post([Earn(ANNA, kind, KEY, part.points, terms)])
            else:
                self.waiting.add(part.number)
                self.ledger.post([EarnPending(ANNA, kind, KEY, part.points, terms, award)])
        self.parts = tuple(KnownPart(part.number, part.key, part.points, 0) for part in earned)

    def take(self, lines: dict[int, int]) -> None:
        self.returned = {one: self.returned.get(one, 0) + lines.get(one, 0) for one in {*self.returned, *lines}}
        taken = take_back(self.parts, points_kept(evaluate_what_is_kept(BOUGHT, RULES, self.returned), DAY))
        self.parts = after_return(self.parts, taken)
        for one in taken:
            kind, award = one.point_type or "points", award_of_part(KEY, one.number)
            self.ledger.post([ClawBack(ANNA, kind, b"return", one.points, self.lots[one.number], award)])

    def hold(self) -> None:
        self.is_held = True
        for part in self.parts:
            if part.number not in self.waiting and (left := part.points - part.taken_back):
                kind, award = part.key.point_type or "points", award_of_part(KEY, part.number)
                self.ledger.post([Suspend(ANNA, kind, KEY, left, self.lots[part.number], award)])

    def let_go(self) -> None:
        self.is_held = False
        for part in self.parts:
            if part.number in self.due:
                self.free(part)
            elif part.number not in self.waiting:
                kind, award = part.key.point_type or "points", award_of_part(KEY, part.number)
                self.ledger.post([Release(ANNA, kind, KEY, self.lots[part.number], award)])

    def come_due(self, number: int) -> None:
        self.due.add(number)
        if not self.is_held:
            self.free(self.parts[number])

    def free(self, part: KnownPart) -> None:
        kind, terms, award = part.key.point_type or "points", part.key.terms, award_of_part(KEY, part.number)
        is_event = part.key.wait is not None and part.key.wait.event is not None
        lot = released_terms(terms, DAY + timedelta(days=9), None) if is_event else terms
        self.ledger.post([Release(ANNA, kind, KEY, terms, award, lot)])
        self.lots[part.number] = lot
        self.due.discard(part.number)
        self.waiting.discard(part.number)

    def balances(self) -> dict[str, Balances]:
        return {kind: balance for (_, kind), balance in self.ledger.balances().items()}


def lived(steps: list[tuple[str, int]], held_for: int) -> Held:
    award = Held()
    award.earn(earned_parts(evaluate_purchase(BOUGHT, RULES), DAY))
    until = None
    for place, (kind, number) in enumerate(steps):
        if until == place:
            award.let_go()
        match kind:
            case "return":
                award.take(RETURNS[number])
            case "due":
                award.come_due(number)
            case _:
                award.hold()
                until = place + 1 + held_for
    if award.is_held:
        award.let_go()
    return award


@given(st.permutations(STEPS), st.integers(0, len(STEPS)))
def test_any_order_of_returns_releases_and_holds_leaves_the_same_points(
    steps: list[tuple[str, int]], held_for: int
) -> None:
    award = lived(steps, held_for)

    assert award.balances() == lived(STEPS, 0).balances()
    for kind, balance in award.balances().items():
        left = sum(part.points - part.taken_back for part in award.parts if (part.key.point_type or "points") == kind)
        assert balance == Balances(available=left)
        assert left > 0
