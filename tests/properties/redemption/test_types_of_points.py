"""Whichever comes first, hold or receipt: the same points of the same type are taken, and of no other."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.redemption.domain.capturing import Take, Wait, decide_tender
from services.redemption.domain.holding import HoldRequest, MemberFacts, Paid, Reserve, decide_hold
from services.redemption.domain.redemption import Redemption
from services.redemption.domain.tender import PointsTender, Pricing

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ANNA, ID = UUID(int=7), UUID(int=1)
TYPES = st.sampled_from(["points", "miles", "stars"])
ANNAS = MemberFacts(ANNA, "active")


def _request(points: int, point_type: str | None) -> HoldRequest:
    return HoldRequest("grocer", points, NOW + timedelta(minutes=15), point_type=point_type)


def _tender(amount_minor: int, said: str | None, pricing: Pricing) -> PointsTender:
    point_type = None if said == pricing.own_type else said
    points = pricing.points_for(amount_minor, point_type)
    return PointsTender(
        b"r1", "hash", ID, "grocer", None, "card", points, True, None, amount_minor=amount_minor, point_type=point_type
    )


def _take(redemption: Redemption, tender: PointsTender, pricing: Pricing) -> Take:
    taken = decide_tender(redemption, tender.priced_as(redemption, pricing), None, is_refused=False)
    assert isinstance(taken, Take)
    return taken


@given(
    st.integers(1, 10**9),
    st.integers(1, 1_000),
    st.integers(1, 1_000),
    st.integers(1, 1_000),
    TYPES,
    st.none() | TYPES,
    st.integers(1, 10**6),
)
@settings(max_examples=50)
def test_a_receipt_before_its_hold_costs_what_it_costs_after_it(
    amount_minor: int, own: int, mile: int, star: int, held: str, said: str | None, points: int
) -> None:
    pricing = Pricing("USD", own, "points", {"miles": mile, "stars": star})
    tender = _tender(amount_minor, said, pricing)

    reserved = decide_hold(Redemption(ID, "points"), _request(points, held), ANNAS, NOW, has_waiting_receipt=False)
    assert isinstance(reserved, Reserve)
    hold_first = _take(reserved.redemption, tender, pricing)

    awaited = Redemption(ID, said or "points")  # the receipt makes the row
    waiting = decide_tender(awaited, tender, None, is_refused=False)
    assert isinstance(waiting, Wait)
    paid = decide_hold(waiting.redemption, _request(points, held), ANNAS, NOW, has_waiting_receipt=True)
    assert isinstance(paid, Paid)
    receipt_first = _take(paid.redemption, tender, pricing)

    for take in (hold_first, receipt_first):
        assert take.redemption.point_type == held
        assert take.from_hold + take.from_available == pricing.points_for(amount_minor, held)
    assert -(-amount_minor // {"points": own, "miles": mile, "stars": star}[held]) == pricing.points_for(
        amount_minor, held
    )
