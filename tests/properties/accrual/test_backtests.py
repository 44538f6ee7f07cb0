"""Whatever is bought and comes back, under whatever rules: a backtest foretells what a draft gives, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.backtests.facts import Before
from services.accrual.domain.backtests.judging import Judge
from services.accrual.domain.backtests.receipts import AwardedReceipt, TakenReturn
from services.accrual.domain.backtests.told import places_of, told_of
from services.accrual.domain.category_mapping import UNMAPPED
from services.accrual.domain.counters import Counted, CountedAsk
from services.accrual.domain.earning_facts import EarningFacts, MemberFacts, Used
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.returns import ClawBackPlan, plan_claw_back
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.stored_facts import facts_from_stored, facts_to_store
from services.accrual.domain.voids import lines_left
from shared.events.purchases import PurchaseData, ReturnLine
from tests.support.receipts import NOON, line, member, purchase

BEGINS_ON = date(2026, 10, 1)
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
HERE = EarningFacts(UTC, UTC, None, MemberFacts(enrolled_at=BEGIN))
_SHORTER: list[dict[str, Any]] = [
    {"kind": "calendar", "unit": "day", "zone": "programme"},
    {"kind": "calendar", "unit": "month", "zone": "store"},
    {"kind": "rolling", "days": 3, "zone": "programme"},
]
SHORTER = st.sampled_from(_SHORTER)
WINDOWS = st.sampled_from([*_SHORTER, {"kind": "ever"}])


class Bought(NamedTuple):
    """A purchase: whose, and what."""

    number: int
    owner_id: UUID
    purchase: PurchaseData


class CameBack(NamedTuple):
    """Thousandths of an earlier purchase's first line; everything that is left, where it is voided."""

    of: int
    thousandths: int
    is_void: bool


@st.composite
def rule_sets(draw: st.DrawFn, version: int) -> RuleSet:
    """A rate under a cap, a bonus that asks what was bought, and a campaign with a budget: each may be missing."""
    rules: list[dict[str, Any]] = [
        _rule("rate", {"kind": "points_per_amount", "points": draw(st.integers(1, 3)), "step_minor": 100})
    ]
    rules[0]["caps"] = draw(st.lists(st.builds(_cap, st.integers(5, 60), WINDOWS), max_size=1))
    if draw(st.booleans()):
        window = draw(SHORTER)
        asked = st.sampled_from(
            [
                {"kind": "spend", "at_least_minor": 3_000, "window": window},
                {"kind": "nth", "nth": 2, "counted": "visits", "repeats": True, "window": window},
                {"kind": "first_purchase"},
            ]
        )
        rules.append(_rule("bonus", _fixed(7)) | {"condition": {"when": draw(asked)}})
    document: dict[str, Any] = {"version": version, "effective_from": BEGIN, "rules": rules}
    if draw(st.booleans()):
        budget = {"points_max": draw(st.integers(5, 60))}
        if draw(st.booleans()):
            budget = {"receipts_max": draw(st.integers(1, 5))}
        dates = {"from_date": "2026-10-01", "until_date": "2026-12-31", "zone": "programme"}
        document["campaigns"] = [{"id": "autumn", "name": "Autumn", "budget": budget} | dates]
        rules.append(_rule("autumn", _fixed(9)) | {"campaign": "autumn"})
    document["exclusions"] = {"categories": draw(st.sampled_from([[], ["PRODUCE"]]))}
    return RuleSet.model_validate(document)


@st.composite
def histories(draw: st.DrawFn) -> list[Bought | CameBack]:
    """Two members buy on five days in any order, bring back, and void."""
    history: list[Bought | CameBack] = []
    bought = 0
    for _ in range(draw(st.integers(1, 14))):
        if bought and draw(st.integers(0, 3)) == 0:
            history.append(CameBack(draw(st.integers(0, bought - 1)), draw(st.integers(1, 600)), draw(st.booleans())))
            continue
        lines = [line(1, draw(st.integers(100, 4_000))), line(2, draw(st.sampled_from([0, 1_500])), "PRODUCE")]
        at = NOON + timedelta(days=draw(st.integers(-2, 2)))
        data = purchase(bought, lines, occurred_at=at).data
        history.append(Bought(bought, member(draw(st.integers(1, 2))), data))
        bought += 1
    return history


class Stored(dict[CountedAsk, Counted]):
    """The table of counters, and the budgets: what a batch adds, and gives back, is there for the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.days: dict[tuple[UUID, str], dict[date, Used]] = {}
        self.budgets: dict[str, Used] = {}

    def get(self, ask: CountedAsk, _: object = None) -> Counted:
        days = self.days.get((ask.member_id, ask.name), {})
        within = {day: used for day, used in days.items() if ask.days.first <= day <= ask.days.last}
        bought_on = {day for day, used in within.items() if used.receipts > 0}
        return Counted(
            amount=sum(used.points for used in within.values()),
            receipts=sum(used.receipts for used in within.values()),
            days=len(bought_on - {ask.day}),
            is_same_day=ask.day in bought_on,
            last_on=max((day for day in bought_on if day <= ask.day), default=None),
        )

    def write(self, earning: EarningOfBatch) -> None:
        for rows in (earning.added, earning.given_back):
            for row in (one for of_counter in rows.values() for one in of_counter):
                days = self.days.setdefault((row.member_id, row.name), {})
                had = days.get(row.day, Used())
                days[row.day] = Used(max(0, had.points + row.amount), max(0, had.receipts + row.receipts))
        for name, taken in earning.budgets_taken.items():
            had = self.budgets.get(name, Used())
            self.budgets[name] = Used(max(0, had.points + taken.points), max(0, had.receipts + taken.receipts))


@dataclass
class Live:
    """What accrual decides, each document in a batch of its own, and what it stores; ``later`` rules from noon on."""

    rule_set: RuleSet
    later: RuleSet | None = None
    receipts: dict[int, AwardedReceipt] = field(default_factory=dict)
    points: dict[int, int] = field(default_factory=dict)
    decided: list[AwardedReceipt | TakenReturn] = field(default_factory=list)
    _taken: dict[int, int] = field(default_factory=dict)
    _returned: dict[int, dict[int, int]] = field(default_factory=dict)
    _voided: set[int] = field(default_factory=set)

    def play(self, history: Sequence[Bought | CameBack]) -> "Live":
        stored = Stored()
        for one in history:
            earning = self._batch(one, stored)
            if isinstance(one, Bought):
                self._buy(one, earning)
            else:
                self._bring_back(one, earning)
            stored.write(earning)
        return self

    @property
    def in_force(self) -> list[RuleSet]:
        return [self.rule_set] if self.later is None else [self.rule_set, self.later]

    def _rules_of(self, data: PurchaseData) -> RuleSet:
        return self.in_force[-1 if data.occurred_at >= NOON else 0]

    def _batch(self, one: Bought | CameBack, stored: Stored) -> EarningOfBatch:
        data = one.purchase if isinstance(one, Bought) else self.receipts[one.of].purchase
        return EarningOfBatch(
            facts={_key(one.number if isinstance(one, Bought) else one.of): HERE},
            at_store={(data.partner_id, data.store_id): HERE},
            counted=stored,
            places={place: BEGIN for rule_set in self.in_force for place in places_of(rule_set)},
            budgets_used=stored.budgets,
        )

    def _buy(self, one: Bought, earning: EarningOfBatch) -> None:
        rule_set = self._rules_of(one.purchase)
        facts = earning.facts_of(_key(one.number), one.owner_id, one.purchase, rule_set)
        evaluation = evaluate_purchase(one.purchase, rule_set, facts=facts)
        earning.count(_key(one.number), one.owner_id, one.purchase, evaluation)
        needs = rule_set.needs
        receipt = AwardedReceipt(
            natural_key=_key(one.number),
            decided_at=NOON,
            owner_id=one.owner_id,
            purchase=one.purchase,
            rule_set=rule_set,
            categories=UNMAPPED,
            stored=facts_from_stored(facts_to_store(facts, needs), needs),
            loaded=HERE,
            points=evaluation.points,
            base_minor=evaluation.base.total_minor,
            applied={rule.rule_id: rule.points for rule in evaluation.applied},
            tier=None,
            comes_back=True,
        )
        self.receipts[one.number] = receipt
        self.points[one.number] = evaluation.points
        self.decided.append(receipt)

    def _bring_back(self, one: CameBack, earning: EarningOfBatch) -> None:
        receipt = self.receipts[one.of]
        before = self._returned.setdefault(one.of, {})
        if one.of in self._voided:
            return
        lines = lines_left(receipt.purchase, before) if one.is_void else [_line(one.thousandths)]
        plan = plan_claw_back(
            receipt.purchase,
            receipt.rule_set,
            awarded_points=receipt.points,
            taken_back_points=self._taken.get(one.of, 0),
            returned_before=before,
            lines=lines,
            facts=receipt.stored,
        )
        if not isinstance(plan, ClawBackPlan):
            return
        purchases = 1 if one.is_void else 0
        earning.give_back(receipt.owner_id, receipt.purchase, receipt.stored, plan.before, plan.after, purchases)
        now = {number: quantity - before.get(number, 0) for number, quantity in plan.returned_thousandths.items()}
        self._returned[one.of] = plan.returned_thousandths
        self._taken[one.of] = self._taken.get(one.of, 0) + plan.points
        self.points[one.of] -= plan.points
        if one.is_void:
            self._voided.add(one.of)
        self.decided.append(TakenReturn(b"r", receipt.natural_key, receipt.owner_id, now, NOON, is_void=one.is_void))


@settings(max_examples=100)
@given(histories(), rule_sets(1), st.none() | rule_sets(2), rule_sets(3))
def test_a_backtest_foretells_what_a_draft_gives(
    history: list[Bought | CameBack], in_force: RuleSet, later: RuleSet | None, draft: RuleSet
) -> None:
    live, twin = Live(in_force, later).play(history), Live(draft).play(history)
    assert judged(live.decided, live.in_force, draft) == twin.points


@settings(max_examples=40)
@given(histories(), rule_sets(1))
def test_rules_that_were_in_force_give_what_was_awarded_whatever_was_counted_before(
    history: list[Bought | CameBack], in_force: RuleSet
) -> None:
    """The period begins in the midst of it: what was counted before is known from what each receipt met."""
    live = Live(in_force).play(history)
    half = live.decided[len(live.decided) // 2 :]
    kept = {one.natural_key for one in half if isinstance(one, AwardedReceipt)}
    points = judged(half, [in_force], in_force)
    assert points == {number: live.points[number] for number in points}
    assert {_key(number) for number in points} == kept
    # Nobody knows in which order one transaction decided: however late its returns are judged, it is the same.
    assert judged(sorted(half, key=lambda one: isinstance(one, TakenReturn)), [in_force], in_force) == points


def judged(
    decided: Sequence[AwardedReceipt | TakenReturn], in_force: Sequence[RuleSet], draft: RuleSet
) -> dict[int, int]:
    """By purchase, what the draft leaves after returns."""
    judge = Judge(draft, BEGINS_ON, told_of(draft, in_force))
    before = Before({}, dict.fromkeys(places_of(draft), BEGIN))
    points: dict[int, int] = {}
    for one in decided:
        if isinstance(one, AwardedReceipt):
            points[int(one.natural_key)] = judge.judge(one, before).points
        elif (returned := judge.take_back(one)) is not None:
            points[int(one.original_key)] -= returned.drafted_points
    return points


def _key(number: int) -> bytes:
    return str(number).encode()


def _line(thousandths: int) -> ReturnLine:
    return ReturnLine(line_id=1, sku="sku-1", quantity_thousandths=thousandths, amount_minor=0, original_line_id=1)


def _cap(points_max: int, window: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "member", "points_max": points_max, "window": window}


def _fixed(points: int) -> dict[str, Any]:
    return {"kind": "fixed_points", "points": points}


def _rule(rule_id: str, effect: dict[str, Any]) -> dict[str, Any]:
    return {"id": rule_id, "name": rule_id, "effect": effect}
