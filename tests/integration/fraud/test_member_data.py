"""What fraud has found about a member, told to the member."""

import httpx2

from tests.support.fraud import member, operator, purchase, receipt_id
from tests.support.fraud_service import Scoring
from tests.support.member_data import REFUSED, read_all, refusals
from tests.support.registries import bearing

NOTE = "The card was his sister's."


async def test_a_member_is_told_what_was_found_and_not_how(scoring: Scoring, client: httpx2.AsyncClient) -> None:
    await scoring.take(*(purchase(number) for number in (1, 2, 3)))
    (case,) = (await client.get("/v1/cases", headers=bearing())).json()["items"]
    closing = {"outcome": "false_positive", "note": NOTE}
    closed = await client.post(f"/v1/cases/{case['case_id']}/close", json=closing, headers=bearing(client_id="ann"))
    assert closed.status_code == 200

    items = await read_all(client, member(1))

    assert [item["kind"] for item in items] == ["signal", "hold", "hold", "hold", "case"]
    signal, *holds, found = items
    assert (signal["rule_code"], signal["receipt_id"]) == ("INS_SWIPE", receipt_id(3))
    assert {hold["action"] for hold in holds} == {"release"}
    assert (found["outcome"], found["note"], found["receipts"]) == ("false_positive", NOTE, 3)
    told = str(items)
    assert operator("anna") not in told  # who served him
    assert "ann'" not in told  # who closed the case
    assert not {"observed", "threshold", "window"} & {name for item in items for name in item}
    for limit in (1, 2, 3):
        assert await read_all(client, member(1), limit) == items
    assert await read_all(client, member(7)) == []


async def test_who_may_not_ask(client: httpx2.AsyncClient) -> None:
    assert await refusals(client, member(1)) == REFUSED
