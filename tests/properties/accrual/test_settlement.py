"""One sale earns once: however it is paid ahead, on credit or in parts, it earns what it would have at once."""

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData, SettlementKind, Tender
from tests.support.receipts import RULES, changed_rules, line, purchase

AHEAD: tuple[SettlementKind, ...] = ("prepayment", "advance")
_FIXED = {"id": "visit", "name": "Seven a receipt", "effect": {"kind": "fixed_points", "points": 7}}
RULE_SETS = (RULES, changed_rules(rules=[*RULES.model_dump()["rules"], _FIXED]))


@st.composite
def sales(draw: st.DrawFn) -> tuple[RuleSet, PurchaseData, list[PurchaseData]]:
    """A sale at once, and the same sale in the receipts of its settlement."""
    rules = draw(st.sampled_from(RULE_SETS))
    goods = [
        line(number, draw(st.integers(1, 20_000)), draw(st.sampled_from(["GROCERY", "PRODUCE"])))
        for number in range(1, draw(st.integers(2, 4)))
    ]
    total = sum(one.amount_minor for one in goods)
    by_points = draw(st.integers(0, total))
    points = [Tender(kind="points", amount_minor=by_points)] if by_points else []
    paid = draw(st.lists(st.integers(1, 20_000), max_size=3))
    ahead = [one for number, one in enumerate(paid) if sum(paid[: number + 1]) <= total - by_points]
    left = total - by_points - sum(ahead)
    on_credit = draw(st.booleans())
    at_once = purchase(1, goods, tenders=[*points, Tender(kind="card", amount_minor=total - by_points)]).data
    kind = "credit" if on_credit else draw(st.sampled_from(["full", None]))
    handed_over = [one.model_copy(update={"settlement": kind}) for one in goods]
    rest = Tender(kind="credit" if on_credit else "card", amount_minor=left)
    offset = Tender(kind=draw(st.sampled_from(["prepaid", "gift"])), amount_minor=sum(ahead))
    receipts = [only_paid(one, draw(st.sampled_from(AHEAD))) for one in ahead]
    receipts += [purchase(1, handed_over, tenders=[*points, offset, rest]).data]
    receipts += [only_paid(left, "repayment")] if on_credit and left else []
    return rules, at_once, receipts


def only_paid(amount_minor: int, settlement: SettlementKind) -> PurchaseData:
    return purchase(1, [line(1, amount_minor, settlement=settlement)]).data


@given(sales())
def test_a_sale_earns_once_however_it_is_settled(sale: tuple[RuleSet, PurchaseData, list[PurchaseData]]) -> None:
    rules, at_once, receipts = sale

    earned = [evaluate_purchase(receipt, rules).points for receipt in receipts]

    assert sum(earned) == evaluate_purchase(at_once, rules).points
