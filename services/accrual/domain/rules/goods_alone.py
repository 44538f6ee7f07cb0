"""Which rules speak of goods alone, whoever bought them, and when: what anybody who bought them was given at least.

By these an unlinked return is judged. Nobody knows the purchase, so what a rule asks of a member, a time, a store or a
basket cannot be answered, and what caps and budgets had left then neither.
"""

from collections.abc import Iterable, Iterator

from services.accrual.domain.rules.caps import BalanceCap, Cap, ReceiptCap
from services.accrual.domain.rules.predicates import AllOf, AnyOf, NotOf
from services.accrual.domain.rules.predicates_of_receipt import PartnerIs
from services.accrual.domain.rules.rule import Phase, Rule
from services.accrual.domain.rules.walking import predicates_in

_OF_GOODS_ALONE = (PartnerIs, AllOf, AnyOf, NotOf)


def rules_of_goods_alone(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Of these the base rules for the programme's own points that are of no campaign and ask for nothing but partner
    and goods.

    They are rounded down, so that goods that come back piece by piece never take more than together.
    """
    for rule in rules:
        if rule.phase is not Phase.BASE or rule.effect.point_type is not None or rule.campaign is not None:
            continue
        when = rule.condition.when
        if when is None or all(isinstance(one, _OF_GOODS_ALONE) for one in predicates_in(when)):
            yield rule.model_copy(update={"rounding": "floor", "caps": caps_of_a_receipt(rule.caps)})


def caps_of_a_receipt(caps: Iterable[Cap | BalanceCap]) -> tuple[ReceiptCap, ...]:
    """Those of the caps that look at one receipt and nothing else."""
    return tuple(cap for cap in caps if isinstance(cap, ReceiptCap))
