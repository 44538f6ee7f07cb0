"""How often a hold goes to the server between BEGIN and COMMIT."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.support.counted_statements import counted_statements
from tests.support.receipts import member
from tests.support.redemption import Spending
from tests.support.registries import bearing

ANNA = member(1)
BASKET = {
    "currency": "USD",
    "lines": [{"line_id": 1, "category": "dairy", "quantity": "1", "amount_minor": 900}],
}


async def hold(client: httpx2.AsyncClient, points: int, **others: Any) -> httpx2.Response:
    body = {"member_id": str(ANNA), "points": points} | others
    return await client.post("/v1/redemptions", json=body, headers=grocer())


def grocer() -> dict[str, str]:
    return bearing("redemptions:write", "redemptions:read", client_id="g", partner_id="grocer")


async def test_a_hold_is_five_statements(
    client: httpx2.AsyncClient, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spending.enrol(ANNA, 1000)

    with counted_statements(monkeypatch) as statements:
        held = await hold(client, 400)
        replayed = await client.post("/v1/redemptions", content=held.request.content, headers=held.request.headers)

    assert (held.status_code, replayed.status_code) == (201, 201)
    opening, spender, account, lots, writes = statements.of_transaction_with("insert into redemptions")
    assert "pg_try_advisory_xact_lock" in opening
    assert "from redemption_members" in spender
    assert "for no key update of member" in spender
    assert account.endswith("for no key update of account skip locked")
    assert "from ledger_lots" in lots
    for table in ("ledger_transfers", "ledger_holds", "redemptions", "outbox", "idempotency"):
        assert f"insert into {table} " in writes
    await spending.check([ANNA], 1000)
    assert await spending.kinds() == ["Held"]


async def test_a_hold_by_a_quote_is_five_statements_and_by_an_id_of_the_tills_six(
    client: httpx2.AsyncClient, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spending.enrol(ANNA, 1000)
    quoted = await client.post("/v1/quotes", json={"member_id": str(ANNA)} | BASKET, headers=grocer())
    assert quoted.status_code == 201

    with counted_statements(monkeypatch) as statements:
        held = await hold(client, 400, quote_id=quoted.json()["quote_id"])
        by_quote = statements.of_transaction_with("insert into redemptions")
    with counted_statements(monkeypatch) as statements:
        made = await hold(client, 100, redemption_id=str(uuid4()))
        by_id = statements.of_transaction_with("insert into ledger_holds")

    assert (held.status_code, made.status_code) == (201, 201)
    assert held.json()["value_minor"] == 400
    assert (len(by_quote), len(by_id)) == (5, 6)
    await spending.check([ANNA], 1000)
