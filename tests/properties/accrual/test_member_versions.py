"""What members were, version by version: whatever is replayed, and however it is cut into batches."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.member_versions import ALWAYS, MemberState, MemberVersion, news_of

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
ANNA, HOME = UUID(int=1), UUID(int=2)
STATES = st.sampled_from([MemberState(), MemberState(2, 29), MemberState(2, 29, HOME)])
HISTORIES = st.lists(st.tuples(st.integers(0, 3), STATES), min_size=1, max_size=6).map(
    lambda told: [
        MemberVersion(ANNA, version, BEGIN + timedelta(hours=hours), state)
        for version, (hours, state) in enumerate(told, start=1)
    ]
)


def kept_after(batches: Sequence[Sequence[MemberVersion[MemberState]]]) -> dict[datetime, MemberVersion[MemberState]]:
    """The table after these batches."""
    rows: dict[datetime, MemberVersion[MemberState]] = {}
    for batch in batches:
        rows |= {row.since: row for row in news_of(rows[max(rows)] if rows else None, batch)}
    return rows


@settings(max_examples=60)
@given(HISTORIES, st.lists(st.integers(0, 6), max_size=4), st.integers(1, 3))
def test_replays_and_batches_change_nothing(
    history: list[MemberVersion[MemberState]], replays: list[int], batch_size: int
) -> None:
    one_by_one = kept_after([[version] for version in history])
    cut = [history[at : at + batch_size][::-1] for at in range(0, len(history), batch_size)]

    # A replay goes back to some record, and on from there.
    assert kept_after([*cut, *(history[back:] for back in replays), *([one] for one in history)]) == one_by_one
    assert min(one_by_one) == ALWAYS
    assert max(row.version for row in one_by_one.values()) == len(history)


@settings(max_examples=60)
@given(HISTORIES, STATES)
def test_what_was_in_force_before_a_change_stays_so(
    history: list[MemberVersion[MemberState]], state: MemberState
) -> None:
    before = kept_after([history])
    newest = max(before)
    later = MemberVersion(ANNA, len(history) + 1, BEGIN + timedelta(days=1), state)

    after = kept_after([history, [later]])

    assert {since: row.state for since, row in after.items() if since <= newest} == {
        since: row.state for since, row in before.items()
    }
    assert after[max(after)].state == state
