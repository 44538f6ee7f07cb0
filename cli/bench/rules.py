"""The programmes that accrual is measured with: two rules as in the demo, or twenty rules with caps and tiers."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx2

from cli.bench.engine import twenty_rules
from cli.bench.workload import PARTNER
from cli.errors import CommandError
from deploy.local.stack import LocalStack

ANSWER_SECONDS_MAX = 10.0
NOTICE_SECONDS = 62.0  # a tier scheme takes effect a minute ahead at least

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


TIERS = {
    "tiers": [
        {"code": "basic", "name": "Basic"},
        {"code": "silver", "name": "Silver", "needs": {"points": 500}},
        {"code": "gold", "name": "Gold", "needs": {"points": 2_000}},
    ],
    "period": {"kind": "rolling_months", "months": 12},
    "zone": "America/New_York",
}
# The types of points, beside the programme's own, that the twenty rules give.
POINT_TYPES = {"TESSERA_OTHER_POINT_TYPES": '[{"code": "status", "use": "status"}]'}
Programme = Literal["two", "twenty", "full"]


def publish_programme(stack: LocalStack, programme: Programme) -> None:
    """Publish ``two`` rules, or ``twenty``; ``full`` has tiers beside twenty, and returns when they are in force."""
    document = {"rules": RULES} if programme == "two" else twenty_rules()
    publish_document(stack, document, datetime.now(UTC) - timedelta(days=1))
    if programme == "full":
        in_force_at = datetime.now(UTC) + timedelta(seconds=NOTICE_SECONDS)
        with _client(stack) as http:
            _post(stack, http, "/v1/tier-schemes", "admin", TIERS | {"effective_from": in_force_at.isoformat()})
        time.sleep(NOTICE_SECONDS)


def publish_document(stack: LocalStack, document: dict[str, Any], effective_from: datetime) -> None:
    """Publish a rule-set document for a time: one client writes it, another approves it."""
    with _client(stack) as http:
        rule_set_id = _post(stack, http, "/v1/rule-sets", "admin", document)["rule_set_id"]
        path = f"/v1/rule-sets/{rule_set_id}"
        _post(stack, http, f"{path}/submit", "admin")
        _post(stack, http, f"{path}/approve", "approver")
        _post(stack, http, f"{path}/publish", "approver", {"effective_from": effective_from.isoformat()})


def _client(stack: LocalStack) -> httpx2.Client:
    return httpx2.Client(base_url=stack.url("accrual"), timeout=ANSWER_SECONDS_MAX)


def _post(stack: LocalStack, http: httpx2.Client, path: str, client_id: str, body: object = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {stack.token(client_id)}", "Idempotency-Key": str(uuid.uuid4())}
    response = http.post(path, headers=headers, json=body)
    if response.is_error:
        raise CommandError(f"accrual did not take the programme: {response.status_code} {response.text}")
    return dict(response.json())
