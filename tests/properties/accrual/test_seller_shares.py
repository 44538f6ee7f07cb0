"""What sellers and payers pay for adds up to the last point, whatever comes back, is held, taken, merged or lapses."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.award_parts import (
    EarnedPart,
    KnownPart,
    TakenPart,
    after_return,
    earned_parts,
    own_points,
    points_kept,
    take_back,
)
from services.accrual.domain.evaluation import evaluate_purchase, evaluate_what_is_kept
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData
from shared.ledger import Basket, Capture, ClawBack, Earn, Expire, Funding, Posted, Refund, Reserve, Void
from shared.ledger.commands import Command
from tests.support.earning import purchases, rule_sets
from tests.support.ledger_memory import MemoryLedger

DAY = date(2026, 11, 1)
ANNA, BERT = UUID(int=1), UUID(int=2)
BASKET = Basket("grocer", DAY)
SELLERS = st.lists(st.sampled_from([None, "acme", "zeta"]), min_size=6, max_size=6)
FUNDED = {"payers": [{"payer": "danone", "share_bp": 6_667}, {"payer": "dairy", "share_bp": 3_333}]}


def sold_by(purchase: PurchaseData, sellers: Sequence[str | None]) -> PurchaseData:
    lines = [line.model_copy(update={"seller": seller}) for line, seller in zip(purchase.lines, sellers, strict=False)]
    return purchase.model_copy(update={"lines": tuple(lines)})


def some_funded(rule_set: RuleSet) -> RuleSet:
    """Every third rule has payers of its own."""
    document = rule_set.model_dump(mode="json")
    for number, rule in enumerate(document["rules"]):
        rule["funding"] = FUNDED if number % 3 == 1 else None
    return RuleSet.model_validate(document)


@settings(max_examples=60)
@given(purchase=purchases(), rule_set=rule_sets().map(some_funded), sellers=SELLERS)
def test_what_each_rule_gave_is_split_to_the_last_point(
    purchase: PurchaseData, rule_set: RuleSet, sellers: list[str | None]
) -> None:
    evaluation = evaluate_purchase(sold_by(purchase, sellers), rule_set)
    by_rule: Counter[str] = Counter()
    for part in evaluation.parts:
        assert part.points == sum(points for _, points in part.by_rule) > 0
        by_rule.update(dict(part.by_rule))
    assert +by_rule == +Counter({one.rule_id: one.points for one in evaluation.applied})
    assert evaluation.parts == evaluate_purchase(sold_by(purchase, sellers), rule_set).parts


@settings(max_examples=60)
@given(
    purchase=purchases(),
    rule_set=rule_sets().map(some_funded),
    sellers=SELLERS,
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3_000)), max_size=6),
)
def test_returns_take_no_more_from_anybody_than_it_pays_for_and_all_of_it_in_the_end(
    purchase: PurchaseData, rule_set: RuleSet, sellers: list[str | None], steps: list[tuple[int, int]]
) -> None:
    purchase = sold_by(purchase, sellers)
    evaluation = evaluate_purchase(purchase, rule_set)
    parts = known(earned_parts(evaluation, DAY))
    whole = {line.line_id: line.quantity_thousandths for line in purchase.lines}
    returned: dict[int, int] = {}
    for number, quantity in steps:
        line = purchase.lines[number % len(purchase.lines)]
        before = returned.get(line.line_id, 0)
        returned = returned | {line.line_id: min(line.quantity_thousandths, before + quantity)}
        parts, taken = back(purchase, rule_set, returned, parts)
        assert own_points(taken) == sum(one.points for one in taken)
    parts, _ = back(purchase, rule_set, whole, parts)
    assert all(part.taken_back == part.points for part in parts)


def known(parts: Sequence[EarnedPart]) -> tuple[KnownPart, ...]:
    return tuple(KnownPart(part.number, part.key, part.points, 0) for part in parts)


def back(
    purchase: PurchaseData, rule_set: RuleSet, returned: dict[int, int], parts: tuple[KnownPart, ...]
) -> tuple[tuple[KnownPart, ...], tuple[TakenPart, ...]]:
    left = sum(part.points - part.taken_back for part in parts)
    kept = evaluate_what_is_kept(purchase, rule_set, returned)
    taken = take_back(parts, points_kept(kept, DAY))
    after = after_return(parts, taken)
    assert all(0 <= part.taken_back <= part.points for part in after)
    assert sum(part.points - part.taken_back for part in after) == min(left, kept.points)
    return after, taken


@settings(max_examples=40, deadline=None)
@given(
    purchase=purchases(),
    rule_set=rule_sets().map(some_funded),
    sellers=SELLERS,
    numbers=st.lists(st.integers(0, 2**20), min_size=5, max_size=25),
)
def test_what_is_held_taken_merged_or_lapses_stays_its_payers(
    purchase: PurchaseData, rule_set: RuleSet, sellers: list[str | None], numbers: list[int]
) -> None:
    """Of each funding: what was earned is what is there, reserved ones included, and what went, less what came back."""
    parts = earned_parts(evaluate_purchase(sold_by(purchase, sellers), rule_set), DAY)
    ledger, went = MemoryLedger(), Counter[Funding | None]()
    ledger.post([Earn(ANNA, "points", b"receipt", part.points, part.key.terms) for part in parts])
    holds: list[UUID] = []
    for place, number in enumerate(numbers):
        if number % 11 == 0:
            ledger.merge(ANNA, BERT)
            continue
        [outcome] = ledger.post([command(number, holds, parts, place)])
        if isinstance(outcome, Posted):
            count(went, outcome)
    there: Counter[Funding | None] = Counter()
    for (_, _, (terms, _)), (remaining, reserved) in ledger.lots_with_points().items():
        there[terms.funding] += remaining + reserved
    earned: Counter[Funding | None] = Counter()
    for part in parts:
        earned[part.key.terms.funding] += part.points
    assert not ledger.owed()
    assert {key: points for key, points in (there + +went).items() if points} == +earned


def command(number: int, holds: list[UUID], parts: Sequence[EarnedPart], place: int) -> Command:
    kind, points = number % 5, 1 + number // 5 % 40
    hold_id = holds[-1] if holds else UUID(int=99)
    if kind == 0:
        holds.append(UUID(int=1_000 + place))
        return Reserve(ANNA, "points", b"hold", points, holds[-1], BASKET)
    if kind == 1:
        return Capture(ANNA, "points", b"receipt", points, hold_id, "fuel", keep_rest=bool(number % 2))
    if kind == 2:
        return Void(ANNA, "points", b"hold", hold_id)
    if kind == 3 or not parts:
        return Refund(ANNA, "points", b"return", points, hold_id, "fuel")
    return Expire(ANNA, "points", b"day", parts[number % len(parts)].key.terms)


def count(went: Counter[Funding | None], outcome: Posted) -> None:
    """What a partner or time took, by its funding; what a refund gave back comes off it."""
    if not outcome.issuers:
        return
    sign = -1 if isinstance(outcome.command, Refund) else 1
    assert not isinstance(outcome.command, ClawBack)
    funded = Counter[Funding | None]()
    for one in outcome.funded:
        funded[one.funding] += one.points
    plain = sum(points for _, points in outcome.issuers) - sum(funded.values())
    for funding, points in (*funded.items(), (None, plain)):
        went[funding] += sign * points
