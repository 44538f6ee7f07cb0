"""Every metric of fraud, with what it tells."""

from prometheus_client import Counter

RECEIPTS = Counter(
    "tessera_fraud_receipts_total",
    "Purchases by what became of them: decided, known (decided before), left_out (training, of nobody or of an erased"
    " member), moved (decided anew for another member).",
    ["outcome"],
)
SIGNALS = Counter("tessera_fraud_signals_total", "Signals raised, by rule.", ["rule"])
DECISIONS_RAISED = Counter(
    "tessera_fraud_decisions_raised_total", "Decisions that a receipt which came late made a hit of."
)
HOLDS = Counter("tessera_fraud_holds_total", "Receipts whose award was asked to be held.")
CASES_OPENED = Counter("tessera_fraud_cases_opened_total", "Cases opened, by rule.", ["rule"])
SPEND_DECISIONS = Counter(
    "tessera_fraud_spend_decisions_total",
    "Answered asks before points leave, by kind (hold, gift) and verdict (allow, step_up, deny). A repeated ask counts"
    " again.",
    ["kind", "verdict"],
)
UNASKED = Counter(
    "tessera_fraud_unasked_total",
    "Points that left while fraud did not answer, scored afterwards, by what the verdict would have been. Alert on"
    " step_up and deny.",
    ["verdict"],
)
