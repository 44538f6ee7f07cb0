"""A corrected receipt holds what it would hold had it come so, whatever it was before and whatever corrected it."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.award_parts import every_part
from services.accrual.domain.awarding_anew import FrozenAward
from services.accrual.domain.category_mapping import UNMAPPED
from services.accrual.domain.correcting import PartNow, judge_anew, parts_then
from services.accrual.domain.earning_facts import facts_of_zone
from services.accrual.domain.evaluation import Evaluation, evaluate_what_is_kept
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData, Tender
from tests.support.accrual import PROGRAMME
from tests.support.earning import purchases, rule_sets
from tests.support.receipts import member

FACTS = facts_of_zone(PROGRAMME.zone)
DAY = date(2026, 11, 1)


@given(rule_sets(), st.lists(purchases(), min_size=2, max_size=4), st.data())
def test_what_is_left_is_what_the_last_one_would_have_left(
    rules: RuleSet, receipts: list[PurchaseData], data: st.DataObject
) -> None:
    lines = [{row.line_id: row.quantity_thousandths for row in receipt.lines} for receipt in receipts]
    held = {line_id: min(each.get(line_id, 0) for each in lines) for line_id in lines[0]}
    drawn = {line_id: data.draw(st.integers(0, most)) for line_id, most in held.items()}
    returned = {line_id: quantity for line_id, quantity in drawn.items() if quantity}
    first = _frozen(receipts[0], rules, returned)
    parts = [PartNow(part.number, part.key, part.points) for part in every_part(_kept(first), DAY)]

    for was, purchase in pairwise(receipts):
        parts = _corrected(_frozen(was, rules, returned), purchase, parts)

    expected = {part.key: part.points for part in every_part(_kept(_frozen(receipts[-1], rules, returned)), DAY)}
    assert {part.key: part.left for part in parts if part.left} == expected
    again = _corrected(_frozen(receipts[-1], rules, returned), receipts[-1], parts)
    assert again == parts


@given(rule_sets(), purchases(), st.lists(st.integers(1, 9_000), min_size=1, max_size=3), st.data())
def test_goods_on_credit_earn_as_they_are_repaid_what_they_would_have_at_once(
    rules: RuleSet, sale: PurchaseData, instalments: list[int], data: st.DataObject
) -> None:
    """What is on credit earns nothing; each instalment is a correction, and so is one that bounces. Some goods come
    back between.
    """
    never = rules.exclusions.model_dump() | {"tenders": ("points", "credit")}
    rules = RuleSet.model_validate(rules.model_dump() | {"exclusions": never})
    owed = [sum(line.amount_minor for line in sale.lines)]
    for one in instalments:
        owed.append(max(0, owed[-1] - one))
    owed += [*data.draw(st.lists(st.sampled_from(owed), max_size=2)), 0]
    back_at = data.draw(st.integers(1, len(owed)))
    returned = {line.line_id: data.draw(st.integers(1, line.quantity_thousandths)) for line in sale.lines[:1]}
    parts = _as_awarded(_frozen(_on_credit(sale, owed[0]), rules, {}))

    for number, (was, now) in enumerate(pairwise(_on_credit(sale, minor) for minor in owed), start=1):
        if number == back_at:  # a return leaves what is earned without the goods
            parts = _as_awarded(_frozen(was, rules, returned))
        parts = _corrected(_frozen(was, rules, returned if number >= back_at else {}), now, parts)

    expected = _as_awarded(_frozen(_on_credit(sale, 0), rules, returned if back_at < len(owed) else {}))
    assert {part.key: part.left for part in parts if part.left} == {part.key: part.left for part in expected}


def _on_credit(sale: PurchaseData, minor: int) -> PurchaseData:
    total = sum(line.amount_minor for line in sale.lines)
    tenders = (Tender(kind="card", amount_minor=total - minor), Tender(kind="credit", amount_minor=minor))
    return sale.model_copy(update={"tenders": tenders})


def _as_awarded(award: FrozenAward) -> list[PartNow]:
    return [PartNow(part.number, part.key, part.points) for part in every_part(_kept(award), DAY)]


def _corrected(award: FrozenAward, purchase: PurchaseData, parts: Sequence[PartNow]) -> list[PartNow]:
    then = parts_then(parts, judge_anew(award, purchase, None), award)
    return [PartNow(part.number, part.key, part.left) for part in then]


def _frozen(purchase: PurchaseData, rules: RuleSet, returned: dict[int, int]) -> FrozenAward:
    return FrozenAward(b"k", member(1), purchase, rules, UNMAPPED, FACTS, returned, DAY)


def _kept(award: FrozenAward) -> Evaluation:
    return evaluate_what_is_kept(award.purchase, award.rule_set, award.returned_thousandths, UNMAPPED, FACTS)
