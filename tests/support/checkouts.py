"""Checkouts as a till asks for them, and whom it asks about."""

from typing import Any
from uuid import UUID

import httpx2

from services.redemption.use_cases.project import project_tiers
from shared.events.tiers import TierData
from shared.ids import IdentifierType, hash_identifier
from tests.support.receipts import member
from tests.support.redemption import KEY, NOON, Spending, linked
from tests.support.registries import bearing

ANNA = member(1)
CARD, BLOCKED, PHONE = "0042", "0043", "+12125550123"


async def enrol_anna(spending: Spending) -> UUID:
    """Gold, with a thousand points, a card, a blocked one and a phone."""
    await spending.enrol(ANNA, 1_000)
    hashes = {value: hash_identifier(IdentifierType.CARD, value, KEY) for value in (CARD, BLOCKED)}
    phone = hash_identifier(IdentifierType.PHONE, PHONE, KEY)
    await spending.members(
        linked(ANNA, hashes[CARD]), linked(ANNA, hashes[BLOCKED], is_blocked=True), linked(ANNA, phone)
    )
    gold = TierData(
        member_id=ANNA,
        version=1,
        old_tier="basic",
        new_tier="gold",
        reason="granted",
        effective_at=NOON,
        scheme_version=1,
    )
    await spending.do(lambda transaction: project_tiers(transaction, [gold]))
    return ANNA


async def check_out(
    till: httpx2.AsyncClient, identifier: dict[str, str] | None = None, *, greets: bool = True, **more: Any
) -> dict[str, Any]:
    """What a till is answered for a basket of one line, with a name where it ``greets``: what is not there is named."""
    scopes = ("redemptions:write", "members:name") if greets else ("redemptions:write",)
    body = {
        "identifier": identifier or {"type": "card", "value": CARD},
        "store_id": "s1",
        "till_id": "1",
        "lines": [{"line_id": 1, "sku": "a", "category": "BREAD", "quantity": "1.5", "amount_minor": 700}],
    } | more
    answer = await till.post("/v1/checkouts", json=body, headers=bearing(*scopes, client_id="g", partner_id="grocer"))
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    parts = {"member", "name", "privileges", "earn", "spend", "message"}
    assert {part for part in parts if told[part] is None} == set(absent(told))
    return told


def absent(told: dict[str, Any]) -> dict[str, str]:
    """The parts that are not there, and why."""
    return {one["part"]: one["reason"] for one in told["absent"]}
