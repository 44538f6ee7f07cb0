"""The event that is written without its model says what the model would, byte for byte."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import Awarded, Facts
from services.accrual.domain.rules import RuleSetHistory
from services.accrual.programme import Programme
from services.accrual.use_cases.messages import earned_message
from services.accrual.use_cases.part_messages import part_earned_messages
from shared.database import Transaction
from shared.events.points import PointsEarned
from shared.events.purchases import PurchaseRecorded
from shared.ledger import Balances, Earn, EarnPending, LotTerms, Posted
from shared.ledger.telling import funding_told, limits_told
from shared.telemetry.trace_context import new_traceparent, trace_id_of
from tests.support.earning_in_parts import STATUS, rule, rule_set
from tests.support.receipts import RULES, document, line, member, purchase

_AMOUNTS = st.integers(0, 10**13)
_MOMENTS = st.datetimes(datetime(2021, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 -- the zone is drawn beside it
_ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def decided(cause: PurchaseRecorded, rule_sets: RuleSetHistory) -> Awarded:
    """The purchase as a worker sees it: read from bytes, with the zones that reading gives."""
    judged = document(cause)
    judged = judged._replace(event=type(cause).model_validate_json(judged.body))
    facts = Facts(
        owners={judged.natural_key: member(1)},
        members={member(1): "active"},
        tills={judged.till},
        partners={},
        mappings={},
        funds={},
        originals={},
        rule_sets=rule_sets,
        now=datetime.now(UTC),
        parked_window=timedelta(days=60),
        zone=UTC,
    )
    awarded = decide_document(judged, facts)
    assert isinstance(awarded, Awarded)
    return awarded


@given(
    occurred_at=st.builds(datetime.replace, _MOMENTS, tzinfo=_ZONES),
    now=_MOMENTS,
    categories=st.lists(st.sampled_from(["GROCERY", "PRODUCE"]), min_size=1, max_size=3),
    balance=st.builds(Balances, _AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS),
    debt_cleared=_AMOUNTS,
    is_traced=st.booleans(),
)
def test_a_points_earned_event_is_what_its_model_writes(
    occurred_at: datetime,
    now: datetime,
    categories: list[str],
    balance: Balances,
    debt_cleared: int,
    *,
    is_traced: bool,
) -> None:
    lines = [line(number, 1250, category) for number, category in enumerate(categories)]
    cause = purchase(7, lines, owner=member(1), occurred_at=occurred_at)
    cause = cause.model_copy(update={"traceparent": new_traceparent() if is_traced else None})
    awarded = decided(cause, RuleSetHistory([RULES]))
    points = awarded.evaluation.points
    judged = awarded.document
    terms = LotTerms("grocer", occurred_at.date(), None)
    posted = Posted(
        Earn(member(1), "points", judged.natural_key, points, terms), points, balance, debt_cleared=debt_cleared
    )
    transaction = cast("Transaction", SimpleNamespace(now=now.replace(tzinfo=UTC)))

    message = earned_message(transaction, awarded, posted)

    event = PointsEarned.model_validate_json(message.body)
    assert event.to_bytes() == message.body
    told = set(_names(event.model_dump(exclude_unset=True)))
    left_out = {
        "/data/part",
        "/data/original_receipt_id",
    }  # of one lot there is no part; only a correction names another
    assert set(_names(event.model_dump())) - left_out == told
    assert dict(message.headers) == {
        "type": event.type.encode(),
        "id": str(event.id).encode(),
        "traceparent": (event.traceparent or "").encode(),
    }
    assert (message.topic, message.key, event.subject) == ("loyalty.points", str(member(1)), str(member(1)))
    assert event.data.balance.model_dump() == balance._asdict()
    assert {rule.rule_id: rule.points for rule in event.data.by_rule} == {
        rule.rule_id: rule.points for rule in awarded.evaluation.applied
    }
    assert (event.data.occurred_at, event.time) == (occurred_at, now.replace(tzinfo=UTC))
    if is_traced:
        assert trace_id_of(event.traceparent) == trace_id_of(cause.traceparent)


def _names(value: Any, prefix: str = "") -> list[str]:
    if not isinstance(value, dict):
        return [prefix]
    return [name for key, inner in value.items() for name in _names(inner, f"{prefix}/{key}")]


FUNDED = {
    "payers": [{"payer": "danone", "share_bp": 6_667}, {"payer": "~programme", "share_bp": 3_333}],
    "price": {"minor_per_point": "0.85", "currency": "USD"},
}
PARTS = RuleSetHistory(
    [
        rule_set(
            rule("plain"),
            rule("status", STATUS),
            rule("late", pending={"kind": "days", "days": 14}, expires_after_days=30),
            rule("event", pending={"kind": "event", "event": "delivered", "days_max": 30, "at_last": "lapse"}),
            rule("paid", funding=FUNDED, limits={"partners": ["grocer"], "categories": ["DAIRY"]}, basis="gift"),
        )
    ]
)


@given(balance=st.builds(Balances, _AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS), debt_cleared=_AMOUNTS, now=_MOMENTS)
def test_what_is_told_of_a_part_is_what_its_model_writes(balance: Balances, debt_cleared: int, now: datetime) -> None:
    cause = purchase(7, 1250, owner=member(1))
    awarded = decided(cause, PARTS)
    transaction = cast("Transaction", SimpleNamespace(now=now.replace(tzinfo=UTC)))
    programme = cast("Programme", SimpleNamespace(zone=UTC))
    assert len(awarded.parts) == len(PARTS.version(1).rules)
    for part in awarded.parts:
        asked = (member(1), part.key.point_type or "points", b"key", part.points, part.key.terms)
        waits = part.key.wait is not None
        command = EarnPending(*asked, b"award") if waits else Earn(*asked)
        posted = Posted(command, part.points, balance, debt_cleared=debt_cleared)

        message, *waiting = part_earned_messages(transaction, awarded, part, posted, programme)

        event = PointsEarned.model_validate_json(message.body)
        assert event.to_bytes() == message.body
        assert event.data.part is not None
        told, terms = event.data.part, part.key.terms
        assert (told.number, told.expires_on) == (part.number, terms.expires_on)
        assert (told.waits_until, told.waits_for) == (part.key.wait or (None, None))[:2]
        assert (told.funding, told.limits) == (funding_told(terms.funding), limits_told(terms.limits))
        assert told.basis == (None if terms.basis == "purchase" else terms.basis)
        assert [(one.rule_id, one.points) for one in event.data.by_rule] == list(part.by_rule)
        assert len(waiting) == waits
