"""Sets the demo's programme up, over HTTP, as its team would: partners, stores, tills, rules, members."""

import secrets
from datetime import datetime, timedelta

from cli.demo.api import Api, each, pages
from cli.demo.documents import TILLS_PER_STORE, card_of
from cli.demo.panel import WEEKS

STORES_PER_CALL = 100
PARTNER_NAMES = {"grocer": "Corner Grocer", "fuel": "Highway Fuel", "pharmacy": "Green Cross Pharmacy"}

# A base rate a partner, a category that counts double; what is paid with points does not earn.
RULES = (
    {
        "id": "grocer-base",
        "name": "1 point a dollar at the grocer's",
        "condition": {"partners": ["grocer"]},
        "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
    },
    {
        "id": "fuel-base",
        "name": "1 point for 2 dollars of fuel",
        "condition": {"partners": ["fuel"]},
        "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 200},
    },
    {
        "id": "pharmacy-base",
        "name": "2 points a dollar at the pharmacy",
        "condition": {"partners": ["pharmacy"]},
        "effect": {"kind": "points_per_amount", "points": 2, "step_minor": 100},
    },
    {
        "id": "fresh-double",
        "name": "Fruit and vegetables count double",
        "condition": {"partners": ["grocer"], "categories": ["PRODUCE"]},
        "effect": {"kind": "multiplier", "percent": 200},
    },
)


async def register_coalition(api: Api, stores: dict[str, set[int]]) -> None:
    """Three partners with their stores and tills."""
    for partner_id, store_ids in stores.items():
        await api.post("coalition", "/v1/partners", {"partner_id": partner_id, "name": PARTNER_NAMES[partner_id]})
        for page in pages(sorted(store_ids), STORES_PER_CALL):
            body = {"stores": [_store(store_id) for store_id in page]}
            await api.post("coalition", f"/v1/partners/{partner_id}/stores:batch", body)


async def publish_rules(author: Api, approver: Api, now: datetime) -> None:
    """The first rule set, in force since before the first receipt: one person writes it, another approves it."""
    document = {"rules": list(RULES), "exclusions": {"tenders": ["points"]}, "expires_after_days": 730}
    drafted = await author.post_when_heard_of("accrual", "/v1/rule-sets", document)  # of all the partners
    path = f"/v1/rule-sets/{drafted['rule_set_id']}"
    await author.post("accrual", f"{path}/submit", None)
    await approver.post("accrual", f"{path}/approve", None)
    began_at = now - timedelta(weeks=WEEKS + 3)
    await approver.post("accrual", f"{path}/publish", {"effective_from": began_at.isoformat()})


async def enrol(api: Api, households: list[int]) -> dict[int, str]:
    """Each household with its card; their member ids. Addresses are of example.com: nobody's."""

    async def enrol_one(household_id: int) -> str:
        answer = await api.post(
            "members",
            "/v1/members",
            {
                "given_name": "Household",
                "family_name": f"No. {household_id}",
                "email": f"household-{household_id}@example.com",
                "language": "en-US",
                "identifiers": [{"type": "card", "value": card_of(household_id)}],
            },
        )
        return str(answer["member_id"])

    return dict(zip(households, await each(households, enrol_one, at_once=16), strict=True))


async def register_partner_client(api: Api, partner_id: str) -> tuple[str, str]:
    """A client that may post the partner's receipts: its id and secret."""
    client_id = f"{partner_id}-pos-{secrets.token_hex(4)}"
    answer = await api.post(
        "coalition",
        "/v1/api-clients",
        {"client_id": client_id, "scopes": ["receipts:write", "receipts:read"], "partner_id": partner_id},
    )
    return client_id, str(answer["client_secret"])


def _store(store_id: int) -> dict[str, object]:
    return {
        "store_id": str(store_id),
        "name": f"Store {store_id}",
        "time_zone": "America/New_York",
        "tills": [{"till_id": str(till + 1), "key_scheme": "sequence"} for till in range(TILLS_PER_STORE)],
    }
