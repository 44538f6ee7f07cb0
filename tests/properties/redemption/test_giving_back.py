"""Whatever receipts take of a redemption and of several members' points, each gives back what it took of each."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.redemption.domain.capturing import Take, decide_capture
from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.redemption import Capture, Redemption, Share, State
from services.redemption.domain.shrinking import decide_shrink
from services.redemption.domain.voiding import ReceiptVoid

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ANNA = UUID(int=7)
VOID = ReceiptVoid(b"void", "hash", b"receipt", None)


@given(
    st.integers(1, 50),
    st.lists(st.integers(1, 50), max_size=3),
    st.lists(st.tuples(st.sampled_from(("take", "take", "shrink")), st.integers(1, 60)), max_size=6),
    st.integers(1, 100),
    st.integers(0, 30),
    st.data(),
)
def test_each_receipt_gives_back_what_it_took_of_each_purse(
    own: int, lent: list[int], http: list[tuple[str, int]], tender: int, lacking: int, data: st.DataObject
) -> None:
    """Captures over HTTP that keep the rest, and parts that are let go between them, then one by a tender, partly late;
    all of them given back."""
    shares = tuple(Share(UUID(int=n), UUID(int=100 + n), points, points) for n, points in enumerate(lent))
    held = own + sum(lent)
    redemption = Redemption(
        UUID(int=1), "points", State.HELD, "grocer", ANNA, held_points=held, open_points=held, shares=shares
    )
    takes: list[Take] = []
    captures: list[Capture] = []
    for number, (step, points) in enumerate(http):
        if points >= redemption.open_points:
            continue
        if step == "shrink":
            redemption = decide_shrink(redemption, redemption.open_points - points).redemption
        else:
            take = decide_capture(redemption, b"%d" % number, points, None, more=True)
            assert isinstance(take, Take)
            takes.append(take)
            redemption, capture = take.settled(0, NOW)
            captures.append(capture)
    from_hold = min(tender, redemption.open_points)
    late = tender - from_hold
    takes.append(
        Take(redemption, ANNA, "grocer", b"last", from_hold, late, keep_rest=False, source="event", content_hash="h")
    )
    lack = min(late, lacking)
    uncovered, owed = (0, lack) if data.draw(st.booleans(), "whether the member owes it") else (lack, 0)
    redemption, last = takes[-1].settled(uncovered, NOW, owed)
    captures.append(last)

    for take, capture in zip(takes, captures, strict=True):
        late_parts = (late - lack, owed) if take is takes[-1] else (0, 0)
        whole = GiveBack(redemption, capture, NOW, VOID)
        assert whole.parts == (*take.parts, *late_parts)
        before = data.draw(st.integers(0, capture.points))
        rest = GiveBack(redemption, replace(capture, refunded_points=before), NOW, VOID)
        assert sum(rest.parts) == rest.points == capture.points - before
        assert all(part <= of for part, of in zip(rest.parts, whole.parts, strict=True))
