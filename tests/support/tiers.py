"""Tier schemes for tests: a ladder of three, whose rules a test changes."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from services.accrual.domain.tiers.grading import Cause, Graded, grade
from services.accrual.domain.tiers.qualification import Amounts, CountedDay
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import Collected, Grant, Standing

BERLIN = "Europe/Berlin"
LADDER: list[dict[str, Any]] = [
    {"code": "basic", "name": "Basic"},
    {"code": "silver", "name": "Silver", "needs": {"points": 100}, "benefits": {"multiplier_percent": 125}},
    {"code": "gold", "name": "Gold", "needs": {"points": 500}, "benefits": {"privileges": ["lounge"]}},
]
YEAR: dict[str, Any] = {"kind": "calendar", "unit": "year"}
TEN_DAYS: dict[str, Any] = {"kind": "rolling_days", "days": 10}


def scheme(**changes: object) -> TierScheme:
    """Basic, silver from 100 points, gold from 500, in a calendar year in Berlin."""
    stated = {
        "tiers": LADDER,
        "period": YEAR,
        "zone": BERLIN,
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
    }
    return TierScheme.model_validate(stated | changes)


def at(text: str) -> datetime:
    """A moment; without an offset, in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def points(by_day: Mapping[str, int]) -> list[CountedDay]:
    """Points by day."""
    return [CountedDay(date.fromisoformat(day), Amounts(each, each, 1)) for day, each in sorted(by_day.items())]


def collected(by_day: Mapping[str, int], *grants: Grant, anchor: str = "2020-01-01") -> Collected:
    """Points by day, of a member who was enrolled on ``anchor``."""
    return Collected(points(by_day), date.fromisoformat(anchor), grants)


def graded(
    standing: Standing | None,
    by_day: Mapping[str, int] | Collected,
    moment: str,
    cause: Cause = "time",
    *schemes: TierScheme,
) -> Graded:
    """Grade a member by a scheme, ours unless others are given."""
    history = TierSchemeHistory(schemes or (scheme(),))
    member = by_day if isinstance(by_day, Collected) else collected(by_day)
    found = grade(standing, member, history, at(moment), cause)
    assert found is not None
    return found


def told(found: Graded) -> list[tuple[str, str, str, str | None]]:
    """What has changed: when, to what, why, until when."""
    return [
        (
            change.at.isoformat()[:16],
            change.new_tier,
            change.reason,
            change.until.isoformat()[:16] if change.until is not None else None,
        )
        for change in found.changes
    ]
