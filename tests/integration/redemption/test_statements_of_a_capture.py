"""How often a capture or a void goes to the server between BEGIN and COMMIT."""

from typing import Any

import httpx2
import pytest

from tests.support.counted_statements import counted_statements
from tests.support.receipts import member
from tests.support.redemption import Spending, till_receipt
from tests.support.registries import bearing

ANNA = member(1)
WRITTEN = ("ledger_transfers", "ledger_holds", "ledger_hold_lots", "ledger_lots", "outbox")


def grocer() -> dict[str, str]:
    return bearing("redemptions:write", client_id="g", partner_id="grocer")


def programme() -> dict[str, str]:
    return bearing("redemptions:write", client_id="p")


async def capture(
    client: httpx2.AsyncClient, redemption: Any, number: int, headers: dict[str, str], **others: Any
) -> httpx2.Response:
    body = {"receipt": till_receipt(number).model_dump(mode="json")} | others
    return await client.post(f"/v1/redemptions/{redemption.redemption_id}/capture", json=body, headers=headers)


async def test_a_capture_is_five_statements(
    client: httpx2.AsyncClient, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 400)

    with counted_statements(monkeypatch) as statements:
        taken = await capture(client, held, 1, grocer(), points=250)
        replayed = await client.post(taken.request.url, content=taken.request.content, headers=taken.request.headers)

    assert (taken.status_code, replayed.status_code) == (200, 200)
    opening, met, account, holds, writes = statements.of_transaction_with("insert into redemption_captures")
    assert "pg_try_advisory_xact_lock" in opening
    for table in ("redemption_receipts", "redemptions", "redemption_members"):
        assert table in met
    assert account.endswith("for no key update of account skip locked")
    assert "from ledger_holds" in holds
    assert "from ledger_lots" in holds
    for table in (*WRITTEN, "redemption_captures", "idempotency"):
        assert f"insert into {table} " in writes
    assert (await spending.balance(ANNA)).available == 750
    assert "update redemptions " in writes
    assert await spending.kinds() == ["Held", "Captured"]
    await spending.check([ANNA], 1000)


async def test_what_captures_ask_for_besides(
    client: httpx2.AsyncClient, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose the redemption is, where the caller sees all partners'; what was told of a receipt that is known; what is
    owed."""
    await spending.enrol(ANNA, 1000)
    first, second, third = [await spending.held(ANNA, 100) for _ in range(3)]

    counted = []
    for redemption, number, headers in ((first, 1, programme()), (second, 1, grocer()), (third, 2, grocer())):
        with counted_statements(monkeypatch) as statements:
            taken = await capture(client, redemption, number, headers)
        assert taken.status_code == 200
        counted.append(len(statements.of_transaction_with("insert into redemption_captures")))

    assert counted == [6, 7, 5]
    await spending.check([ANNA], 1000)


async def test_a_void_is_five_statements(
    client: httpx2.AsyncClient, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 400)

    with counted_statements(monkeypatch) as statements:
        voided = await client.post(f"/v1/redemptions/{held.redemption_id}/void", headers=programme())

    assert voided.status_code == 200
    opening, met, account, holds, writes = statements.of_transaction_with("update redemptions")
    assert "pg_try_advisory_xact_lock" in opening
    assert "from redemption_members" in met
    assert account.endswith("for no key update of account")
    assert "from ledger_holds" in holds
    for table in WRITTEN:
        assert f"insert into {table} " in writes
    assert (await spending.balance(ANNA)).available == 1000
    assert await spending.kinds() == ["Held", "Voided"]
    await spending.check([ANNA], 1000)
