"""However a stream of effects is cut, the sums of partners come out the same."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.coalition.domain.contracts import Contract, Funding, Rate, Terms
from services.coalition.domain.counting import (
    Effect,
    Issued,
    Redeemed,
    Refunded,
    Returned,
    changes_of,
    contract_numbers,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
RATE = Rate("points", Decimal("0.01"), Decimal("0.0085"), Decimal(0), "issue", 1, 1)
PARTNERS = ("grocer", "fuel")


def contract(partner_id: str, number: int) -> Contract:
    begins_at = START + timedelta(days=10 * number)
    terms = Terms(begins_at, begins_at + timedelta(days=10), "USD", (RATE,), Funding("prepaid", 1, (), "refuse", 0), ())
    return Contract(UUID(int=number), partner_id, number, terms, "approved", ("a",), 1, "b", START)


CONTRACTS = {partner: [contract(partner, number) for number in (1, 2)] for partner in PARTNERS}
GIVEN_BACK = ("refunded_points", "restored_points")
Sums = Counter[tuple[str, int, str]]


@st.composite
def streams(draw: st.DrawFn) -> list[Effect]:
    """Receipts of any day, returns some time after them, captures of either issuer's, and what was given back."""
    stream: list[Effect] = []
    for number in range(draw(st.integers(1, 12))):
        partner = draw(st.sampled_from(PARTNERS))
        key, at = b"p%d" % number, START + timedelta(days=draw(st.integers(0, 35)))
        points = draw(st.integers(1, 1_000))
        stream.append(Issued(key, partner, "points", points, at))
        if draw(st.booleans()):
            later = at + timedelta(days=draw(st.integers(0, 20)))
            taken = draw(st.integers(1, points))
            stream.append(Returned(b"x%d" % number, key, partner, "points", taken, later))
        if draw(st.booleans()):
            taker = draw(st.sampled_from(PARTNERS))
            key = b"r%d" % number
            stream.append(Redeemed(key, taker, "points", points, ((partner, points),), at))
            if draw(st.booleans()):
                back = draw(st.integers(1, points))
                stream.append(Refunded(b"u%d" % number, key, taker, "points", back, ((partner, back),), at))
    return stream


def counted(batches: list[list[Effect]]) -> Sums:
    """As the database keeps it: entries for ever, sums added up."""
    entered: dict[bytes, int] = {}
    sums: Sums = Counter()
    for batch in batches:
        numbers = contract_numbers(batch, CONTRACTS, entered)
        fresh = [effect for effect in batch if effect.entry_key not in entered]
        entered |= {effect.entry_key: numbers[effect.entry_key] for effect in fresh}
        for partner, each in changes_of(fresh, numbers, CONTRACTS):
            for kind in ("issued_points", "returned_points", "redeemed_points", "spent_points", *GIVEN_BACK):
                if points := getattr(each, kind):
                    sums[partner, each.contract_number, kind] += points
    return sums


@given(streams(), st.lists(st.integers(1, 5), min_size=1), st.integers(0, 40))
def test_any_batching_with_any_part_read_again_counts_the_same(
    stream: list[Effect], sizes: list[int], repeated: int
) -> None:
    batches, rest, turn = [], list(stream), 0
    while rest:
        size = sizes[turn % len(sizes)]
        batches.append(rest[:size])
        rest, turn = rest[size:], turn + 1
    again = [*batches, stream[:repeated], *batches]
    assert counted(again) == counted([stream]) == counted([[effect] for effect in stream])


@given(streams())
def test_what_comes_back_is_taken_off_where_it_was_counted(stream: list[Effect]) -> None:
    sums = counted([stream])
    for partner in PARTNERS:
        for number in range(3):
            assert sums[partner, number, "returned_points"] <= sums[partner, number, "issued_points"]
            assert sums[partner, number, "refunded_points"] <= sums[partner, number, "redeemed_points"]
            assert sums[partner, number, "restored_points"] <= sums[partner, number, "spent_points"]
