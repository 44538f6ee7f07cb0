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
from shared.events.purchases import PurchaseData
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


def _corrected(award: FrozenAward, purchase: PurchaseData, parts: Sequence[PartNow]) -> list[PartNow]:
    then = parts_then(parts, judge_anew(award, purchase, None), award)
    return [PartNow(part.number, part.key, part.left) for part in then]


def _frozen(purchase: PurchaseData, rules: RuleSet, returned: dict[int, int]) -> FrozenAward:
    return FrozenAward(b"k", member(1), purchase, rules, UNMAPPED, FACTS, returned, DAY)


def _kept(award: FrozenAward) -> Evaluation:
    return evaluate_what_is_kept(award.purchase, award.rule_set, award.returned_thousandths, UNMAPPED, FACTS)
