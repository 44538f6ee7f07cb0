"""What is said of returns, and can never come about."""

from collections.abc import Iterator

from services.accrual.domain.rules import RuleSetDraft
from services.accrual.domain.rules.goods_alone import rules_of_goods_alone
from shared.faults import Fault


def returned_faults(rule_set: RuleSetDraft) -> Iterator[Fault]:
    """Returns that name no purchase are to take back what goods give everybody, and no goods give anything so; or a
    little is to be forgiven where nobody owes anything.
    """
    if rule_set.returns.unlinked == "claw_back" and next(rules_of_goods_alone(rule_set.rules), None) is None:
        detail = "no base rule asks for nothing but partner and goods, so nothing would be taken: say ignore, or park"
        yield Fault("/returns/unlinked", detail)
    if rule_set.returns.forgive_below is not None and rule_set.returns.claw_back == "clip":
        yield Fault("/returns/forgive_below", "nobody owes anything that is lacking (clip): leave it out")
    if rule_set.returns.withhold and rule_set.returns.claw_back == "clip":
        yield Fault("/returns/withhold", "nobody owes anything that is lacking (clip): nothing is kept for it")
