"""Rules that differ in what becomes of points that a return should take and that are gone: owed, clipped or refused."""

from datetime import UTC, datetime

from services.accrual.domain.rules import RuleSet
from tests.support.receipts import changed_rules, line

STATUS_FOR_MEAT = {
    "id": "status",
    "name": "Status points",
    "condition": {"categories": ["MEAT"]},
    "effect": {"kind": "points_per_amount", "point_type": "status", "points": 2, "step_minor": 100},
}
WINE_WAITS = {
    "id": "waits",
    "name": "Wine waits for three weeks",
    "condition": {"categories": ["WINE"]},
    "effect": {"kind": "points_per_amount", "points": 3, "step_minor": 100},
    "pending_days": 21,
}
# What they earn stands in parts: to spend, status, and waiting.
GOODS = (line(1, 1_000, "MEAT", quantity_thousandths=2_000), line(2, 333, "WINE"), line(3, 77))


def _version(version: int, since: datetime, claw_back: str, unlinked: str) -> RuleSet:
    rules = [*changed_rules().model_dump(mode="json")["rules"], STATUS_FOR_MEAT, WINE_WAITS]
    returns = {"claw_back": claw_back, "unlinked": unlinked}
    return changed_rules(version=version, effective_from=since, returns=returns, rules=rules)


VERSIONS = [
    _version(1, datetime(2020, 1, 1, tzinfo=UTC), "debt", "claw_back"),
    _version(2, datetime(2026, 9, 1, tzinfo=UTC), "clip", "claw_back"),
    _version(3, datetime(2026, 10, 1, tzinfo=UTC), "refuse", "ignore"),
]
# A moment of a purchase under each of them.
OWED, CLIPPED, REFUSED = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (8, 9, 10))
