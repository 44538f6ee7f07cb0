"""The rule set that accrual is measured with: a base rate, a multiplier, a tender exclusion, as in the demo."""

import uuid
from datetime import UTC, datetime, timedelta

import httpx2

from cli.bench.workload import PARTNER
from cli.errors import CommandError

ANSWER_SECONDS_MAX = 10.0


def publish_rules(accrual_url: str, token: str) -> None:
    """Publish the first rule set, in force since yesterday."""
    response = httpx2.post(
        f"{accrual_url}/v1/rule-sets",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())},
        json={
            "effective_from": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
            "rules": [
                {
                    "id": "base",
                    "name": "A point a dollar",
                    "condition": {"partners": [PARTNER]},
                    "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
                },
                {
                    "id": "produce",
                    "name": "Fruit and vegetables count double",
                    "condition": {"partners": [PARTNER], "categories": ["PRODUCE"]},
                    "effect": {"kind": "multiplier", "percent": 200},
                },
            ],
        },
        timeout=ANSWER_SECONDS_MAX,
    )
    if response.is_error:
        raise CommandError(f"accrual did not take the rules: {response.status_code} {response.text}")
