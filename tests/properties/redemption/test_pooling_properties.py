"""What a household has together is shared out exactly, whatever is asked and however it is taken."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.redemption.domain.capturing import Take, decide_capture
from services.redemption.domain.errors import ExceedsHoldError
from services.redemption.domain.holding import decide_void
from services.redemption.domain.pooling import Household, Place, drawn, shared_out
from services.redemption.domain.redemption import Redemption, State
from services.redemption.domain.standing import KnownStatus
from shared.ledger import Purse

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
amounts = st.lists(st.integers(0, 500), min_size=1, max_size=6)
people = st.lists(
    st.builds(
        Place,
        member_id=st.uuids(),
        contributes=st.booleans(),
        may_spend=st.booleans(),
        shows_purchases=st.booleans(),
        status=st.sampled_from(["active", "suspended", "earn_only", "spend_locked", "closed", "erased", "unknown"]),
        is_home=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda place: place.member_id,
)


def held(points: int) -> Redemption:
    return Redemption(
        UUID(int=1),
        "points",
        State.HELD,
        "grocer",
        UUID(int=100),
        held_points=points,
        open_points=points,
        held_at=NOW,
        expires_at=NOW,
    )


def purses(available: list[int]) -> list[Purse]:
    return [Purse(UUID(int=100 + number), amount) for number, amount in enumerate(available)]


@given(st.integers(0, 3_000), amounts)
def test_the_parts_add_up_and_none_is_more_than_there_is(points: int, available: list[int]) -> None:
    parts = drawn(points, available)

    assert sum(parts) == min(points, sum(available))
    assert all(0 <= part <= amount for part, amount in zip(parts, available, strict=True))
    # Nobody is asked before those who come first have given all they have.
    for number, part in enumerate(parts):
        assert part == 0 or list(parts[:number]) == available[:number]


@given(st.integers(1, 3_000), amounts)
def test_a_hold_is_shared_out_in_full_or_not_at_all(points: int, available: list[int]) -> None:
    shared = shared_out(held(points), purses(available))

    if shared is None:
        assert points > sum(available)
        return
    assert shared.own_held_points == min(points, available[0])
    assert shared.own_held_points + shared.pooled_points == points
    assert all(share.held_points == share.open_points > 0 for share in shared.shares)
    assert shared_out(held(points), purses(available)) == shared  # the same holds in the ledger, whoever asks again
    assert len({share.hold_id for share in shared.shares} | {shared.redemption_id}) == len(shared.shares) + 1


@given(st.integers(1, 1_500), amounts, st.lists(st.tuples(st.integers(1, 600), st.booleans()), max_size=5))
def test_whatever_is_taken_every_point_is_open_taken_or_let_go(
    points: int, available: list[int], captures: list[tuple[int, bool]]
) -> None:
    redemption = shared_out(held(points), purses(available))
    if redemption is None:
        return
    taken = 0
    for number, (asked, more) in enumerate(captures):
        if redemption.state is not State.HELD:
            break
        try:
            take = decide_capture(redemption, b"%d" % number, asked, None, more=more)
        except ExceedsHoldError:
            continue
        assert isinstance(take, Take)
        assert sum(take.parts) == asked
        redemption, _ = take.settled(0, NOW)
        taken += asked
        assert redemption.own_open_points >= 0
        assert all(share.open_points + share.captured_points <= share.held_points for share in redemption.shares)
        if more:
            assert redemption.open_points == points - taken
    if redemption.state is State.HELD:
        redemption = decide_void(redemption, NOW).redemption
    assert redemption.own_open_points == 0
    assert not any(share.open_points for share in redemption.shares)
    assert redemption.captured_points == taken
    assert sum(share.captured_points for share in redemption.shares) <= taken


@given(people, st.integers(0, 4))
def test_only_who_contributes_lends_and_only_to_who_may_spend(places: list[Place], number: int) -> None:
    household = Household(UUID(int=9), 1, tuple(places))
    spender = places[number] if number < len(places) else None

    lenders = household.lenders_to(UUID(int=5) if spender is None else spender.member_id)

    may_spend = spender is not None and spender.may_spend and spender.is_home
    active: KnownStatus = "active"
    assert list(lenders) == [
        place.member_id
        for place in places
        if may_spend and place is not spender and place.contributes and place.is_home and place.status == active
    ]


@given(people, st.integers(0, 4))
def test_nobody_sees_purchases_of_who_has_not_agreed(places: list[Place], number: int) -> None:
    household = Household(UUID(int=9), 1, tuple(places))
    reader = places[number].member_id if number < len(places) else UUID(int=5)

    shown = household.shows_to(reader)

    for place in places:
        if place.member_id in shown:
            assert place.is_home
            assert place.shows_purchases or place.member_id == reader
    assert replace(household, places=()).shows_to(reader) == ()
