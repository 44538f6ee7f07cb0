"""What a programme may publish as its ladder, and which version holds when."""

import pytest
from pydantic import ValidationError

from services.accrual.domain.tiers.qualification import Amounts, reached_rank
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from tests.support.tiers import LADDER, TEN_DAYS, at, scheme

BASIC, SILVER, GOLD = LADDER


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tiers": [BASIC, SILVER, GOLD | {"code": "silver"}]}, "stand twice: silver"),
        ({"tiers": [SILVER, GOLD]}, "the lowest, silver, is everybody's"),
        ({"tiers": [BASIC, SILVER, {"code": "gold", "name": "Gold"}]}, "gold needs points"),
        ({"tiers": [BASIC, SILVER, GOLD | {"needs": {"visits": 9}}]}, "must name the same needs"),
        ({"tiers": [BASIC, SILVER, GOLD | {"needs": {"points": 100}}]}, "gold must need more than silver"),
        ({"tiers": [BASIC]}, "at least 2"),
        ({"zone": "Berlin"}, "IANA"),
        ({"zone": "../etc/localtime"}, "IANA"),
        ({"downgrade": "one_step", "soft_landing_percent": 80}, "softens a full downgrade"),
        ({"period": TEN_DAYS, "upgrade": "next_period"}, "calendar or anniversary"),
        ({"period": {"kind": "calendar", "unit": "month"}, "grace_days": 28}, "grace_days"),
    ],
)
def test_a_ladder_that_cannot_be_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        scheme(**changes)


@pytest.mark.parametrize(
    ("meets", "amounts", "rank"),
    [
        ("any", Amounts(points=99, visits=4), 0),
        ("any", Amounts(points=100), 1),
        ("any", Amounts(visits=20), 2),
        ("all", Amounts(points=500, visits=4), 0),
        ("all", Amounts(points=500, visits=19), 1),
        ("all", Amounts(points=500, visits=20), 2),
        ("all", Amounts(points=-5, visits=-1), 0),
    ],
)
def test_one_need_is_enough_or_all_are_wanted(meets: str, amounts: Amounts, rank: int) -> None:
    ladder = [
        BASIC,
        SILVER | {"needs": {"points": 100, "visits": 5}},
        GOLD | {"needs": {"points": 500, "visits": 20}},
    ]

    assert reached_rank(amounts, scheme(tiers=ladder, meets=meets)) == rank


def test_a_version_holds_until_the_next_one_takes_over() -> None:
    first = scheme(effective_from=at("2026-01-01"))
    second = scheme(version=2, effective_from=at("2026-07-01"))
    history = TierSchemeHistory([second, first])

    assert history.at(at("2025-12-31T23:59:59")) is None
    assert history.at(at("2026-06-30T23:59:59")) == first
    assert history.at(at("2026-07-01")) == second
    assert (history.after(first), history.after(second)) == (second, None)
    assert history.version(2) == second
    assert TierSchemeHistory().is_empty
