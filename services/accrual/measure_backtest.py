"""``python -m services.accrual.measure_backtest`` prints how many decoded receipts a second one core judges again.

Two workloads, those of ``measure_engine``: two rules on five lines, and twenty active rules on ten lines. Counted is
everything between a decoded page and the report: facts, evaluation, what was counted, and the sums.
"""

import json
import time
from datetime import UTC, date
from uuid import UUID

from services.accrual.domain.backtests.facts import Before
from services.accrual.domain.backtests.judging import Judge
from services.accrual.domain.backtests.receipts import AwardedReceipt
from services.accrual.domain.backtests.sums import Prices
from services.accrual.domain.backtests.tally import Tally
from services.accrual.domain.backtests.told import told_of
from services.accrual.domain.category_mapping import UNMAPPED
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules import RuleSet
from services.accrual.measure_engine import facts_for, receipt, twenty_rules, two_rules
from services.accrual.use_cases.load_backtest_page import BacktestPage
from services.accrual.use_cases.run_backtest import judge_page

ROUNDS = 20
RECEIPTS_A_ROUND = 1_000
MEMBERS = 500


def per_second(rule_set: RuleSet, lines: int) -> float:
    """Receipts a second, in the fastest of many short rounds: whatever is slower was somebody else on the machine."""
    purchase, facts = receipt(lines), facts_for(rule_set)
    awarded = evaluate_purchase(purchase, rule_set, facts=facts)
    receipts = [
        AwardedReceipt(
            natural_key=number.to_bytes(4, "big"),
            decided_at=purchase.occurred_at,
            owner_id=UUID(int=number % MEMBERS),
            purchase=purchase,
            rule_set=rule_set,
            categories=UNMAPPED,
            stored=facts,
            loaded=facts,
            points=awarded.points,
            base_minor=awarded.base.total_minor,
            applied={one.rule_id: one.points for one in awarded.applied},
            tier="gold",
            comes_back=False,
        )
        for number in range(RECEIPTS_A_ROUND)
    ]
    page = BacktestPage([*receipts], Before({}, {}), len(receipts), 0)
    draft = rule_set.model_copy(update={"version": rule_set.version + 1})
    fastest = min(_seconds(page, draft, rule_set) for _ in range(ROUNDS))
    return RECEIPTS_A_ROUND / fastest


def _seconds(page: BacktestPage, draft: RuleSet, in_force: RuleSet) -> float:
    judge = Judge(draft, date(2026, 11, 1), told_of(draft, [in_force]))
    tally = Tally(draft, Prices({}, 10_000), UTC)
    began = time.perf_counter()
    judge_page(page, judge, tally)
    return time.perf_counter() - began


if __name__ == "__main__":
    measured = {
        "two_rules_per_second": per_second(two_rules(), 5),
        "twenty_rules_per_second": per_second(twenty_rules(), 10),
    }
    print(json.dumps(measured))  # noqa: T201 -- what it is for
