"""Write-off rules and quotes over HTTP: how rules come into force, and what a till asks and is refused."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from services.redemption.programme import PublishedWriteOffRules
from shared.ids import new_id
from tests.support.adjusting import slug
from tests.support.quoting import asked, quoted
from tests.support.receipts import member
from tests.support.redemption import PROGRAMME, Spending
from tests.support.registries import bearing

ANNA = member(1)
CENT = {"id": "cent", "name": "A point is a cent", "points": 1, "per_minor": 1}
TWO_CENTS = {"id": "two", "name": "A point is two cents", "points": 1, "per_minor": 2}
TILL = bearing("redemptions:write", "redemptions:read", client_id="g", partner_id="grocer")


async def test_rules_come_into_force_through_two_people_and_price_the_next_quote(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    alice = bearing("write-off-rules:write", "write-off-rules:approve", client_id="alice")
    document = {"rates": [TWO_CENTS], "limits": [{"id": "half", "name": "Half of it", "share_percent_max": 50}]}
    drafted = await client.post("/v1/write-off-rules", json=document, headers=alice | {"Idempotency-Key": new_id().hex})
    assert drafted.status_code == 201, drafted.text
    address = f"/v1/write-off-rules/{drafted.json()['rule_set_id']}"
    submitted = await client.post(f"{address}/submit", headers=alice | {"Idempotency-Key": new_id().hex})
    assert submitted.status_code == 200
    own = await client.post(f"{address}/approve", headers=alice | {"Idempotency-Key": new_id().hex})
    assert slug(own) == (403, "own-draft")
    approved = await client.post(f"{address}/approve", headers=bearing("write-off-rules:approve", client_id="bob"))
    assert approved.json()["state"] == "approved"
    body = {"effective_from": "2020-01-01T00:00:00Z"}
    out = await client.post(
        f"{address}/publish", json=body, headers=bearing("write-off-rules:approve", client_id="bob")
    )
    assert out.json()["version"] == 1

    await spending.enrol(ANNA, 1_000)
    programme = replace(PROGRAMME, write_off=PublishedWriteOffRules())
    await spending.do(programme.write_off.refresh)
    found = await quoted(spending, programme, asked((600, None)))
    assert (found.quote.points, found.quote.value_minor, found.rules.version) == (150, 300, 1)


async def test_a_draft_with_faults_is_refused_with_pointers_to_all_of_them(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA)
    document = {
        "rates": [CENT | {"where": {"partners": ["nobody"]}}],
        "limits": [{"id": "l", "name": "L"}],
    }
    answer = await client.post("/v1/write-off-rules", json=document, headers=bearing("write-off-rules:write"))
    assert slug(answer) == (422, "invalid-request")
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["/limits/0", "/rates/0/where/partners/0"]


async def test_a_till_quotes_and_holds_by_the_quote(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    basket = {"member_id": str(ANNA), "lines": [{"line_id": 1, "amount_minor": 700, "quantity": "1.5"}]}
    answer = await client.post("/v1/quotes", json=basket, headers=TILL)
    assert answer.status_code == 201, answer.text
    quote = answer.json()
    assert (quote["points"], quote["value_minor"], quote["rule_set_version"]) == (700, 700, 0)
    assert quote["lines"] == [{"line_id": 1, "value_minor": 700, "points": 700, "rate_id": "base"}]

    body = {"member_id": str(ANNA), "points": 300, "quote_id": quote["quote_id"]}
    held = await client.post("/v1/redemptions", json=body, headers=TILL)
    assert (held.status_code, held.json()["value_minor"]) == (201, 300)
    again = await client.post("/v1/redemptions", json=body, headers=TILL)
    assert again.json()["redemption_id"] == held.json()["redemption_id"]
    other_price = await client.post("/v1/redemptions", json=body | {"quote_id": str(new_id())}, headers=TILL)
    assert slug(other_price) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"currency": "EUR"}, "/currency"),
        ({"lines": []}, "/lines"),
        ({"lines": [{"line_id": 1, "amount_minor": -1}]}, "/lines/0/amount_minor"),
        ({"partner_id": "fuel"}, "/partner_id"),
    ],
)
async def test_a_basket_that_makes_no_sense_is_refused_by_its_field(
    client: httpx2.AsyncClient, spending: Spending, change: dict[str, Any], pointer: str
) -> None:
    await spending.enrol(ANNA, 1_000)
    basket = {"member_id": str(ANNA), "lines": [{"line_id": 1, "amount_minor": 700}]}
    answer = await client.post("/v1/quotes", json=basket | change, headers=TILL)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
