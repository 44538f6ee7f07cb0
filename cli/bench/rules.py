"""The rule set that accrual is measured with: a base rate, a multiplier, a tender exclusion, as in the demo."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from cli.bench.workload import PARTNER
from cli.errors import CommandError
from deploy.local.stack import LocalStack

ANSWER_SECONDS_MAX = 10.0

RULES = [
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
]


def publish_rules(stack: LocalStack) -> None:
    """Publish the first rule set, in force since yesterday: one client writes it, another approves it."""
    publish_document(stack, {"rules": RULES}, datetime.now(UTC) - timedelta(days=1))


def publish_document(stack: LocalStack, document: dict[str, Any], effective_from: datetime) -> None:
    """Publish a rule-set document for a time."""
    with httpx2.Client(base_url=stack.url("accrual"), timeout=ANSWER_SECONDS_MAX) as http:

        def post(path: str, client_id: str, body: object = None) -> dict[str, Any]:
            headers = {"Authorization": f"Bearer {stack.token(client_id)}", "Idempotency-Key": str(uuid.uuid4())}
            response = http.post(f"/v1/rule-sets{path}", headers=headers, json=body)
            if response.is_error:
                raise CommandError(f"accrual did not take the rules: {response.status_code} {response.text}")
            return dict(response.json())

        rule_set_id = post("", "admin", document)["rule_set_id"]
        post(f"/{rule_set_id}/submit", "admin")
        post(f"/{rule_set_id}/approve", "approver")
        post(f"/{rule_set_id}/publish", "approver", {"effective_from": effective_from.isoformat()})
