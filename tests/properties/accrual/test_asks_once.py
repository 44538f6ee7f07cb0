"""What a receipt asks of the counters is worked out before anything is read: it is what it would ask when decided."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.counters import AsksOfReceipt, Counted, asks_of
from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules.needs import CountedPlace
from services.accrual.measure_engine import twenty_rules
from shared.events.purchases import PurchaseData
from tests.support.earning import purchases

KEY = b"receipt"
MEMBER, OTHER = UUID(int=1), UUID(int=2)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
HERE = EarningFacts(UTC, ZoneInfo("America/New_York"))
RULES = twenty_rules()
PLACES = {CountedPlace(key.at, key.zone): BEGIN for key in RULES.needs.activity}

counted = st.builds(
    Counted,
    amount=st.integers(0, 200),
    receipts=st.integers(0, 9),
    days=st.integers(0, 9),
    is_same_day=st.booleans(),
    last_on=st.none(),
)


def _batch(bought: PurchaseData, known: Counted, asks: dict[bytes, AsksOfReceipt]) -> EarningOfBatch:
    of_member = asks_of(MEMBER, bought, HERE, RULES, PLACES)
    told = dict.fromkeys((*of_member.activity, *of_member.caps, *of_member.places), known)
    return EarningOfBatch({KEY: HERE}, {}, told, PLACES, {}, asks=asks)


@settings(max_examples=40)
@given(purchases(), counted)
def test_asks_that_were_worked_out_before_give_the_same_facts_and_counts(bought: PurchaseData, known: Counted) -> None:
    before = _batch(bought, known, {KEY: asks_of(MEMBER, bought, HERE, RULES, PLACES)})
    anew = _batch(bought, known, {})

    for _ in range(2):  # the second receipt of the batch sees what the first one has used
        facts = before.facts_of(KEY, MEMBER, bought, RULES)
        assert facts == anew.facts_of(KEY, MEMBER, bought, RULES)
        evaluation = evaluate_purchase(bought, RULES, facts=facts)
        for batch in (before, anew):
            batch.count(KEY, MEMBER, bought, evaluation)
    assert before.added == anew.added


@settings(max_examples=10)
@given(purchases(), counted)
def test_asks_of_one_member_answer_for_no_other(bought: PurchaseData, known: Counted) -> None:
    batch = _batch(bought, known, {KEY: asks_of(MEMBER, bought, HERE, RULES, PLACES)})

    facts = batch.facts_of(KEY, OTHER, bought, RULES)

    assert facts == _batch(bought, Counted(), {}).facts_of(KEY, OTHER, bought, RULES)
