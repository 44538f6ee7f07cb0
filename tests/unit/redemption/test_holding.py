"""Whether points may be reserved and let go, case by case."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.redemption.domain.errors import (
    AlreadyCapturedError,
    FactsBehindError,
    HoldNotOpenError,
    RedemptionIdTakenError,
)
from services.redemption.domain.holding import (
    Decline,
    FreshFacts,
    HoldRequest,
    MemberFacts,
    Paid,
    Reserve,
    Stands,
    decide_early_void,
    decide_expiry,
    decide_hold,
    decide_void,
    declined_by_ledger,
)
from services.redemption.domain.partner_standing import Standing
from services.redemption.domain.redemption import Redemption, State

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ENDS = NOW + timedelta(minutes=15)
ID, ANNA, BERT = UUID(int=1), UUID(int=2), UUID(int=3)
REQUEST = HoldRequest("grocer", 500, ENDS)
ACTIVE = MemberFacts(ANNA, "active")
FRESH = Redemption(ID, "points")
HELD = Redemption(
    ID,
    "points",
    State.HELD,
    partner_id="grocer",
    member_id=ANNA,
    held_points=500,
    open_points=500,
    held_at=NOW,
    expires_at=ENDS,
)


def test_a_fresh_id_is_reserved() -> None:
    assert decide_hold(FRESH, REQUEST, ACTIVE, NOW, has_waiting_receipt=False) == Reserve(HELD)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (MemberFacts(ANNA, "suspended"), "member_suspended"),
        (MemberFacts(ANNA, "closed"), "member_closed"),
        (MemberFacts(ANNA, "active", is_identifier_blocked=True), "identifier_blocked"),
        (MemberFacts(ANNA, "active", partner=Standing("both", "suspended")), "partner_suspended"),
    ],
)
def test_who_may_not_spend_is_declined_and_remembered(member: MemberFacts, reason: str) -> None:
    decided = decide_hold(FRESH, REQUEST, member, NOW, has_waiting_receipt=False)

    assert isinstance(decided, Decline)
    assert (decided.reason, decided.points) == (reason, 500)
    assert decided.redemption.state is State.DECLINED
    assert (decided.redemption.held_points, decided.redemption.open_points) == (0, 0)


def test_a_declined_id_may_be_tried_again() -> None:
    reserve = decide_hold(FRESH, REQUEST, ACTIVE, NOW, has_waiting_receipt=False)
    assert isinstance(reserve, Reserve)
    decline = declined_by_ledger(reserve, "insufficient_points", NOW)

    assert decide_hold(decline.redemption, REQUEST, ACTIVE, NOW, has_waiting_receipt=False) == Reserve(HELD)


def test_the_same_hold_again_stands() -> None:
    assert decide_hold(HELD, REQUEST, ACTIVE, NOW, has_waiting_receipt=False) == Stands(HELD)


@pytest.mark.parametrize(
    ("request_", "member"),
    [
        (HoldRequest("fuel", 500, ENDS), ACTIVE),
        (HoldRequest("grocer", 400, ENDS), ACTIVE),
        (REQUEST, MemberFacts(BERT, "active")),
    ],
)
def test_another_hold_under_the_same_id_is_refused(request_: HoldRequest, member: MemberFacts) -> None:
    with pytest.raises(RedemptionIdTakenError):
        decide_hold(HELD, request_, member, NOW, has_waiting_receipt=False)


def test_a_hold_after_its_receipt_is_refused_by_name() -> None:
    captured = Redemption(ID, "points", State.CAPTURED, partner_id="grocer", member_id=ANNA, captured_points=500)

    with pytest.raises(AlreadyCapturedError):
        decide_hold(captured, REQUEST, ACTIVE, NOW, has_waiting_receipt=False)


def test_a_hold_whose_receipt_waits_for_a_member_names_the_member() -> None:
    awaited = Redemption(ID, "points", partner_id="grocer")

    decided = decide_hold(awaited, REQUEST, ACTIVE, NOW, has_waiting_receipt=True)

    assert isinstance(decided, Paid)
    assert (decided.redemption.state, decided.redemption.member_id) == (State.AWAITED, ANNA)


def test_a_hold_after_its_void_is_refused() -> None:
    voided = decide_early_void(FRESH, "grocer", NOW)

    with pytest.raises(HoldNotOpenError):
        decide_hold(voided, REQUEST, ACTIVE, NOW, has_waiting_receipt=False)


def test_a_void_lets_go_of_what_is_left() -> None:
    let_go = decide_void(HELD, NOW)

    assert let_go.points == 500
    assert (let_go.redemption.state, let_go.redemption.open_points) == (State.VOIDED, 0)


@pytest.mark.parametrize("state", [State.AWAITED, State.CAPTURED, State.VOIDED, State.EXPIRED, State.DECLINED])
def test_what_is_not_held_cannot_be_voided_nor_expire(state: State) -> None:
    redemption = Redemption(ID, "points", state, partner_id="grocer", member_id=ANNA, expires_at=ENDS)

    assert decide_expiry(redemption, ENDS, ENDS) is None
    with pytest.raises(HoldNotOpenError) as refusal:
        decide_void(redemption, NOW)
    assert refusal.value.state is state


@pytest.mark.parametrize(
    ("read_to", "now", "expires"),
    [
        (ENDS, ENDS, True),
        (ENDS - timedelta(microseconds=1), ENDS + timedelta(days=1), False),  # its receipt may still be unread
        (ENDS + timedelta(seconds=1), ENDS - timedelta(microseconds=1), False),  # not over yet
    ],
)
def test_a_hold_expires_when_its_time_is_over_and_purchases_have_been_read(
    read_to: datetime, now: datetime, expires: bool
) -> None:
    let_go = decide_expiry(HELD, read_to, now)

    assert (let_go is not None) is expires
    if let_go is not None:
        assert (let_go.redemption.state, let_go.points) == (State.EXPIRED, 500)


@pytest.mark.parametrize(
    ("points", "age_seconds", "may_go"),
    [(500, None, True), (500, 3600, True), (501, 10, True), (501, 10.001, False), (501, None, False), (501, 0, True)],
)
def test_a_large_hold_needs_facts_that_are_fresh(points: int, age_seconds: float | None, *, may_go: bool) -> None:
    read_to_at = None if age_seconds is None else NOW - timedelta(seconds=age_seconds)
    with nullcontext() if may_go else pytest.raises(FactsBehindError, match="only 500 points"):
        FreshFacts(points_max=500).require(points, read_to_at, NOW)
