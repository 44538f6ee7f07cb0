"""Member events that rules decide about: the types, the rules, and calls that are short to write."""

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2

from tests.support.adjusting import Client
from tests.support.earning_in_parts import rule, rule_set
from tests.support.member_events import approved
from tests.support.registries import bearing

SURVEY, WAITING, BONUS = "survey", "waiting", "bonus"
CAP, BUDGET = 100, 100
SOURCE = "survey-tool"
ANSWERED = {"properties": {"survey": {"type": "string"}, "answers": {"type": "integer", "maximum": 1_000}}}
TYPE: dict[str, Any] = {"sources": [SOURCE], "payload": ANSWERED | {"required": ["survey"]}, "key": ["survey"]}


def fixed(points: int, **more: Any) -> dict[str, Any]:
    """Points once an event."""
    return {"kind": "fixed_points", "points": points} | more


def event_rule(rule_id: str, code: str, effect: dict[str, Any], when: object = None, **more: Any) -> dict[str, Any]:
    """A rule of events of one type."""
    return rule(rule_id, effect, condition={"events": [code]} | ({} if when is None else {"when": when}), **more)


PER_ANSWER = {"kind": "points_per_number", "property": "answers", "points": 10, "step": 5}
OF_SPRING = {"kind": "payload", "property": "survey", "values": ["spring"]}
BOUGHT = {"kind": "event", "event": "bought", "days_max": 3, "at_last": "lapse"}
AUTUMN = {
    "id": "autumn",
    "name": "Autumn",
    "from_date": "2020-10-01",
    "until_date": "2099-12-31",
    "zone": "store",
    "budget": {"points_max": BUDGET},
}
SAID: dict[str, Any] = {
    "caps": [{"kind": "member", "points_max": CAP, "window": {"kind": "calendar", "unit": "day", "zone": "store"}}],
    "campaigns": [AUTUMN],
}
OF_EVENTS = (
    event_rule("answers", SURVEY, PER_ANSWER),
    event_rule("plus", SURVEY, {"kind": "multiplier", "percent": 150}),
    event_rule("season", SURVEY, fixed(5, point_type="status"), OF_SPRING),
    event_rule("soon", WAITING, fixed(10), pending_days=2),
    event_rule("bought", WAITING, fixed(7), pending=BOUGHT),
    event_rule("hello", "welcome", fixed(25), {"kind": "enrolled", "at_most_days": 0, "zone": "store"}),
    event_rule("cake", "birthday", fixed(15), {"kind": "birthday", "zone": "programme"}),
    event_rule("bonus", BONUS, fixed(40), campaign="autumn"),
)
RULES = rule_set(rule("base"), *OF_EVENTS, **SAID)


BY_TIME: dict[str, Any] = {"sources": [], "payload": {}, "key": []}


async def declare(client: Client, code: str, *, is_approved: bool = True, **said: Any) -> int:
    """Declares a type that leaves to the rules what it gives; the version."""
    body = TYPE | {"effective_from": "2020-01-01T00:00:00Z"} | said
    headers = bearing("rules:write", client_id="author")
    answer = await client.post(f"/v1/member-event-types/{code}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    version: int = answer.json()["version"]
    if is_approved:
        await approved(client, code, version)
    return version


def of_code(code: str, member_id: UUID, at: datetime, survey: str = "spring", **payload: Any) -> dict[str, Any]:
    """The body that tells of an event."""
    return {
        "type": code,
        "member_id": str(member_id),
        "occurred_at": at.isoformat(),
        "payload": {"survey": survey} | payload,
    }


async def told(
    client: Client, code: str, member_id: UUID, at: datetime, survey: str = "spring", **payload: Any
) -> httpx2.Response:
    """Tells of one."""
    body = of_code(code, member_id, at, survey, **payload)
    return await client.post("/v1/member-events", json=body, headers=bearing("member-events:write", client_id=SOURCE))


async def revoked(client: Client, code: str, member_id: UUID, survey: str = "spring") -> httpx2.Response:
    """Says that what had made it one was undone."""
    body = {"type": code, "member_id": str(member_id), "key": {"survey": survey}, "reason_code": "invented"}
    headers = bearing("member-events:write", client_id=SOURCE)
    return await client.post("/v1/member-events:revoke", json=body, headers=headers)


async def story(client: Client, event_id: str) -> dict[str, Any]:
    """All that is told of one."""
    answer = await client.get(f"/v1/member-events/{event_id}", headers=bearing("member-events:read"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
