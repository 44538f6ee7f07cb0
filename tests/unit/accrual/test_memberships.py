"""Stays in segments and campaigns: what has passed never changes, and what is to come is as said last."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.accrual.domain.memberships import Membership, MembershipTimesError, joined, left
from services.accrual.domain.rules.needs import GroupName

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def stay(begins: int, ends: int | None, author: str = "alice") -> Membership:
    """From and until so many days from now."""
    until = None if ends is None else NOW + ends * DAY
    return Membership(uuid4(), UUID(int=1), GroupName("segment", "vip"), NOW + begins * DAY, until, author)


def times(stays: list[Membership]) -> list[tuple[int, int | None]]:
    return [
        ((one.from_at - NOW).days, None if one.until_at is None else (one.until_at - NOW).days)
        for one in sorted(stays, key=lambda each: each.from_at)
    ]


def after(present: list[Membership], news: list[Membership]) -> list[Membership]:
    kept = {one.membership_id: one for one in (*present, *news)}
    return [one for one in kept.values() if not one.is_over(NOW)]


@pytest.mark.parametrize(
    ("present", "asked", "then"),
    [
        ([], (0, None), [(0, None)]),
        ([], (3, 5), [(3, 5)]),
        ([(-9, None)], (0, None), [(-9, None)]),  # in it already
        ([(-9, 2)], (0, None), [(-9, None)]),  # goes on
        ([(-9, None)], (0, 4), [(-9, 4)]),  # ends as said now
        ([(-9, 2)], (2, 4), [(-9, 4)]),  # one stay follows on the other
        ([(-9, 2)], (3, 4), [(3, 4)]),  # a hole between: the stay ends now, and begins again then
        ([(5, 7)], (0, None), [(0, None)]),  # what was planned gives way
        ([(5, 7)], (5, 7), [(5, 7)]),
        ([(-9, None), (-5, 3)], (0, 8), [(-9, 8)]),  # of two that a merge brought together one goes on
    ],
)
def test_joining(
    present: list[tuple[int, int | None]], asked: tuple[int, int | None], then: list[tuple[int, int | None]]
) -> None:
    stays = [stay(*one) for one in present]
    once = after(stays, joined(stays, stay(*asked), NOW))

    assert times(once) == then
    assert joined(once, stay(*asked), NOW) == []  # asked again it stands so
    past = {one.membership_id: one.from_at for one in stays if one.from_at < NOW}
    assert past.items() >= {one.membership_id: one.from_at for one in once if one.from_at < NOW}.items()


def test_leaving_ends_what_has_begun_and_takes_back_what_has_not() -> None:
    stays = [stay(-9, None), stay(5, 7)]

    ended = left(stays, NOW, "bob")

    assert times(ended) == [(-9, 0), (5, 5)]
    assert {one.changed_by for one in ended} == {"bob"}
    assert after(stays, ended) == []
    assert left(ended, NOW, "bob") == []


@pytest.mark.parametrize("asked", [(-1, None), (3, 3), (3, 2)])
def test_nothing_begins_in_the_past_or_ends_before_it_begins(asked: tuple[int, int | None]) -> None:
    with pytest.raises(MembershipTimesError):
        joined([], stay(*asked), NOW)
