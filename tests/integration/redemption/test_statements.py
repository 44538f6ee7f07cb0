"""Balances and statements on a real server: what a member has, and how it came about, in words."""

import csv
import io
from typing import Any
from uuid import UUID

import httpx2
import pytest

from shared import ledger
from tests.support.receipts import member
from tests.support.redemption import NOON, Spending, earn, paid_with_points, partner, tender_of
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)


def grocer() -> dict[str, str]:
    return bearing("balances:read", client_id="g", partner_id="grocer")


def fuel() -> dict[str, str]:
    return bearing("balances:read", client_id="f", partner_id="fuel")


async def test_a_balance_by_point_type(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.enrol(BERT)
    await spending.held(ANNA, 400)

    anna = await client.get(f"/v1/members/{ANNA}/balance", headers=fuel())  # a till of any partner may ask
    bert = await client.get(f"/v1/members/{BERT}/balance", headers=fuel())
    nobody = await client.get(f"/v1/members/{member(9)}/balance", headers=fuel())

    assert anna.json() == {
        "member_id": str(ANNA),
        "balances": [
            {
                "point_type": "points",
                "use": "spend",
                "exponent": 0,
                "available": 600,
                "held": 400,
                "pending": 0,
                "debt": 0,
                "pooled": 0,
                "spendable": 600,
                "usable": [
                    {
                        "points": 600,
                        "partners": [],
                        "stores": [],
                        "categories": [],
                        "dates": [],
                        "text": "600 usable anywhere",
                    }
                ],
            }
        ],
    }
    assert bert.json()["balances"][0]["available"] == 0
    assert nobody.status_code == 404
    assert nobody.json()["type"].endswith("/unknown-member")


async def statement(client: httpx2.AsyncClient, headers: dict[str, str], limit: int) -> list[list[dict[str, Any]]]:
    pages, cursor = [], None
    while True:
        query = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
        answer = await client.get(f"/v1/members/{ANNA}/statement", params=query, headers=headers)
        assert answer.status_code == 200
        pages.append(answer.json()["items"])
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return pages


async def _some_history(spending: Spending) -> UUID:
    await spending.coalition(partner("grocer", "Green Grocer"), partner("fuel", "Fast Fuel"))
    await spending.enrol(ANNA, 600)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 400, NOON.date().replace(year=2027))]))
    redemption_id = (await spending.held(ANNA, 700)).redemption_id  # from two lots
    await spending.capture(redemption_id, 1, 500)
    await spending.settle(tender_of(paid_with_points(2, 50, None, owner=ANNA, partner_id="fuel")))
    return redemption_id


async def test_a_statement_tells_everything_with_a_running_balance(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    redemption_id = await _some_history(spending)

    (lines,) = await statement(client, bearing(), 50)

    assert [(line["text"], line["points"], line["moved_points"], line["available_after"]) for line in lines] == [
        ("Spent 50 points at Fast Fuel", -50, 50, 450),
        ("200 points reserved at Green Grocer and not needed are available again", 200, 200, 500),
        ("Spent 500 points at Green Grocer, reserved before", 0, 500, 300),
        ("Reserved 700 points for a checkout at Green Grocer", -700, 700, 300),
        ("Earned 400 points at Green Grocer", 400, 400, 1000),
        ("Earned 600 points at Green Grocer", 600, 600, 600),
    ]
    assert [line["redemption_id"] for line in lines[1:4]] == [str(redemption_id)] * 3
    assert [line["partner_id"] for line in lines] == ["fuel", *["grocer"] * 5]
    assert lines[0]["receipt_id"] is not None
    assert lines[2]["receipt_id"] == lines[1]["receipt_id"] is not None
    assert lines[3]["receipt_id"] is None


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
async def test_pages_of_a_statement_are_the_whole_statement(
    client: httpx2.AsyncClient, spending: Spending, limit: int
) -> None:
    await _some_history(spending)
    (whole,) = await statement(client, bearing(), 50)

    pages = await statement(client, bearing(), limit)

    assert [line for page in pages for line in page] == whole
    assert all(len(page) == limit for page in pages[:-1])


async def test_a_partner_sees_its_own_lines_without_the_balance(client: httpx2.AsyncClient, spending: Spending) -> None:
    await _some_history(spending)

    fuels = [line for page in await statement(client, fuel(), 1) for line in page]
    grocers = [line for page in await statement(client, grocer(), 2) for line in page]

    assert [line["text"] for line in fuels] == ["Spent 50 points at Fast Fuel"]
    assert len(grocers) == 5
    assert {line["available_after"] for line in fuels + grocers} == {None}


async def test_a_cursor_of_somewhere_else_is_refused(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA)

    answer = await client.get(f"/v1/members/{ANNA}/statement?cursor=bm90", headers=bearing())

    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/invalid-cursor")


async def as_csv(client: httpx2.AsyncClient, headers: dict[str, str], limit: int) -> list[list[dict[str, str]]]:
    """The pages as a caller finds them who follows ``Link``."""
    pages, url = [], httpx2.URL(f"/v1/members/{ANNA}/statement.csv?limit={limit}")
    while True:
        answer = await client.get(url, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        pages.append(list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True)))
        if "next" not in answer.links:
            return pages
        url = answer.url.join(answer.links["next"]["url"])


def in_cells(lines: list[dict[str, Any]]) -> list[dict[str, str]]:
    of_type = {"point_type": "points", "exponent": "0"}
    return [of_type | {name: "" if cell is None else str(cell) for name, cell in line.items()} for line in lines]


@pytest.mark.parametrize("limit", [1, 4, 6, 50])
async def test_as_csv_a_statement_says_the_same_page_by_page(
    client: httpx2.AsyncClient, spending: Spending, limit: int
) -> None:
    await _some_history(spending)
    await spending.coalition(partner("fuel", 'Fast "Fuel", Söhne & Co', version=2))  # what must be quoted

    pages = await as_csv(client, bearing(), limit)

    assert pages == [in_cells(page) for page in await statement(client, bearing(), limit)]
    assert pages[0][0]["text"] == 'Spent 50 points at Fast "Fuel", Söhne & Co'
    assert pages[0][0]["points"] == "-50"


async def test_as_csv_a_partner_gets_its_own_lines_alone(client: httpx2.AsyncClient, spending: Spending) -> None:
    await _some_history(spending)

    fuels = [line for page in await as_csv(client, fuel(), 1) for line in page]

    assert [(line["text"], line["available_after"]) for line in fuels] == [("Spent 50 points at Fast Fuel", "")]


async def test_as_csv_refusals_are_those_of_the_statement(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA)

    async def slug_of(member_id: UUID, query: str, headers: dict[str, str]) -> str:
        answer = await client.get(f"/v1/members/{member_id}/statement.csv{query}", headers=headers)
        assert answer.headers["content-type"] == "application/problem+json"
        return str(answer.json()["type"].rpartition("/")[2])

    assert await slug_of(ANNA, "?cursor=bm90", bearing()) == "invalid-cursor"
    assert await slug_of(member(9), "", bearing()) == "unknown-member"
    assert await slug_of(ANNA, "", bearing("redemptions:read")) == "missing-scope"
    nothing = await client.get(f"/v1/members/{ANNA}/statement.csv", headers=bearing())
    assert nothing.text == (
        "point_type,exponent,at,kind,text,points,moved_points,available_after,partner_id,receipt_id,redemption_id\r\n"
    )
