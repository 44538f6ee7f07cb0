"""Who sees whose purchases in a household: only what its member agreed to show, also where points were lent for it."""

from typing import Any
from uuid import UUID

import httpx2
import pytest

from shared import ledger
from shared.ledger import ClawBack
from shared.receipt_key import encode_receipt_key, receipt_id_of
from tests.support.pooling import ELSEWHERE, HOME, Place, belongs, household, move_in, pooled
from tests.support.receipts import member
from tests.support.redemption import Spending, earn, partner, till_receipt, void_of
from tests.support.registries import bearing

ANNA, BERT, CARA = member(1), member(2), member(3)


@pytest.fixture
async def shopped(spending: Spending) -> Spending:
    """Anna, who shows her purchases, and Bert, who does not, have each spent 150 points, 50 lent by the other."""
    await spending.coalition(partner("grocer", "Green Grocer"))
    for member_id, points in ((ANNA, 100), (BERT, 100), (CARA, 10)):
        await spending.enrol(member_id, points)
    await move_in(spending, 1, Place(ANNA, shows_purchases=True), Place(BERT), Place(CARA, contributes=False))
    await spending.capture((await pooled(spending, ANNA, 150)).redemption_id, 1)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 200), earn(BERT, 50)]))
    await spending.capture((await pooled(spending, BERT, 150)).redemption_id, 2)
    return spending


async def lines(client: httpx2.AsyncClient, path: str, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = query | {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        answer = await client.get(f"/v1/{path}", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def own(client: httpx2.AsyncClient, member_id: UUID, **whose: str) -> list[dict[str, Any]]:
    return await lines(client, f"members/{member_id}/statement", bearing("balances:read", **whose))


async def read_by(client: httpx2.AsyncClient, reader: UUID, member_id: UUID) -> httpx2.Response:
    path = f"/v1/households/{HOME}/members/{member_id}/statement"
    return await client.get(path, params={"reader_id": str(reader)}, headers=bearing("households:read"))


@pytest.mark.usefixtures("shopped")
async def test_what_was_lent_names_the_purchase_only_of_who_shows_it(client: httpx2.AsyncClient) -> None:
    lent_by_anna = [line for line in await own(client, ANNA) if "another member" in line["text"]]
    lent_by_bert = [line for line in await own(client, BERT) if "another member" in line["text"]]

    assert [line["text"] for line in lent_by_anna] == [
        "50 points spent by another member of the household, reserved before",
        "50 points reserved for a checkout of another member of the household",
    ]
    assert {(line["partner_id"], line["receipt_id"], line["redemption_id"]) for line in lent_by_anna} == {
        (None, None, None)
    }
    spent, reserved = lent_by_bert
    assert spent["text"] == "50 points spent by another member of the household at Green Grocer, reserved before"
    assert spent["receipt_id"] is not None
    assert reserved["redemption_id"] == spent["redemption_id"] is not None
    assert lent_by_anna[0]["available_after"] - lent_by_anna[1]["available_after"] == lent_by_anna[0]["points"] == 0


async def test_what_comes_back_of_a_voided_purchase_names_it_only_of_who_shows_it(
    client: httpx2.AsyncClient, shopped: Spending
) -> None:
    """Not in the line of what came back, nor in that of the debt which it cleared."""
    owed = ClawBack(ANNA, "points", b"owed", 400, earn(ANNA, 1).terms, b"award")
    await shopped.do(lambda transaction: ledger.post(transaction, [owed]))
    for number in (1, 2):
        await shopped.void_receipts(void_of(encode_receipt_key("grocer", till_receipt(number)), number))

    of_anna, of_bert = await own(client, ANNA), await own(client, BERT)

    lent = [line for line in of_anna if line["text"].endswith("had spent are given back")]
    assert [(line["points"], line["partner_id"], line["receipt_id"]) for line in lent] == [(50, None, None)]
    bert_paid = receipt_id_of(void_of(b"", 2).void_key)
    assert {line["text"] for line in of_anna if "owed" in line["text"]} >= {"50 points went to what was owed"}
    assert bert_paid not in {line["receipt_id"] for line in of_anna}
    assert "50 points that another member of the household had spent at Green Grocer are given back" in {
        line["text"] for line in of_bert
    }
    shown = [line["text"] for line in (await read_by(client, BERT, ANNA)).json()["items"]]
    assert "100 points given back at Green Grocer" in shown


@pytest.mark.usefixtures("shopped")
async def test_a_partner_is_not_told_who_lent_for_a_purchase_that_is_not_shown(client: httpx2.AsyncClient) -> None:
    at_grocer = {"client_id": "g", "partner_id": "grocer"}

    assert [line for line in await own(client, ANNA, **at_grocer) if "another member" in line["text"]] == []
    assert len([line for line in await own(client, BERT, **at_grocer) if "another member" in line["text"]]) == 2


@pytest.mark.usefixtures("shopped")
async def test_the_others_see_what_was_bought_of_who_agreed_and_no_balance(client: httpx2.AsyncClient) -> None:
    path, reading = f"households/{HOME}/members/{ANNA}/statement", bearing("households:read")

    shown = await lines(client, path, reading, reader_id=str(BERT))

    assert [(line["kind"], line["moved_points"]) for line in shown] == [
        ("capture", 50),  # lent to Bert, who reads
        ("earn", 200),
        ("capture", 100),
        ("earn", 100),
    ]
    assert {line["available_after"] for line in shown} == {None}
    assert shown[0]["receipt_id"] is not None
    by_cara = await lines(client, path, reading, reader_id=str(CARA))
    assert by_cara[0]["receipt_id"] is by_cara[0]["partner_id"] is None  # Bert's purchase is not hers to see


async def test_nobody_else_is_shown_anything(client: httpx2.AsyncClient, shopped: Spending) -> None:
    assert (await read_by(client, ANNA, BERT)).status_code == 404  # did not agree
    assert (await read_by(client, BERT, BERT)).status_code == 200  # one's own
    assert (await read_by(client, member(9), ANNA)).status_code == 404  # does not belong to it
    await shopped.members(belongs(BERT, 200, ELSEWHERE))
    assert (await read_by(client, BERT, ANNA)).status_code == 404  # left
    await shopped.members(household(2, Place(ANNA), Place(CARA)))
    assert (await read_by(client, CARA, ANNA)).status_code == 404  # agrees no more
    assert [line["receipt_id"] for line in await own(client, BERT) if "another member" in line["text"]] == [None] * 2


@pytest.mark.usefixtures("shopped")
async def test_a_partners_client_reads_no_household(client: httpx2.AsyncClient) -> None:
    answer = await client.get(
        f"/v1/households/{HOME}/members/{ANNA}/statement",
        params={"reader_id": str(BERT)},
        headers=bearing("households:read", client_id="g", partner_id="grocer"),
    )

    assert answer.status_code == 404
