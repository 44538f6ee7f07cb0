"""Status points: told of by type, and never held."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from shared import ledger
from shared.ledger import Earn, LotTerms
from shared.point_types import OtherPointType
from tests.support.adjusting import slug
from tests.support.databases import FreshDatabase
from tests.support.receipts import member
from tests.support.redemption import NOON, Spending
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing

ANNA = member(1)
TILL = bearing("redemptions:write", "balances:read", client_id="g", partner_id="grocer")


@pytest.fixture(scope="module")
async def client(own_database: FreshDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    types = (OtherPointType(code="status", exponent=1),)
    async with redemption_service(own_database, "api", other_point_types=types) as client:
        yield client


@pytest.fixture
async def anna(spending: Spending) -> None:
    """She has 100 points to spend, and 40 that count."""
    await spending.enrol(ANNA, 100)
    status = Earn(ANNA, "status", b"receipt", 40, LotTerms("grocer", NOON.date(), None))
    await spending.do(lambda transaction: ledger.post(transaction, [status]))


@pytest.mark.usefixtures("anna")
async def test_what_counts_is_told_beside_what_can_be_spent(client: httpx2.AsyncClient) -> None:
    balances = (await client.get(f"/v1/members/{ANNA}/balance", headers=TILL)).json()["balances"]

    assert [
        (one["point_type"], one["use"], one["exponent"], one["available"], one["spendable"]) for one in balances
    ] == [("points", "spend", 0, 100, 100), ("status", "status", 1, 40, 0)]
    assert balances[1]["usable"] == []
    for point_type, points in ((None, [100]), ("points", [100]), ("status", [40])):
        query = {} if point_type is None else {"point_type": point_type}
        told = await client.get(f"/v1/members/{ANNA}/statement", params=query, headers=bearing("balances:read"))
        assert [line["points"] for line in told.json()["items"]] == points


@pytest.mark.usefixtures("anna")
async def test_status_points_are_never_held(client: httpx2.AsyncClient) -> None:
    body = {"member_id": str(ANNA), "points": 10}
    refused = await client.post("/v1/redemptions", json=body | {"point_type": "status"}, headers=TILL)
    unknown = await client.post("/v1/redemptions", json=body | {"point_type": "stars"}, headers=TILL)
    held = await client.post("/v1/redemptions", json=body | {"point_type": "points"}, headers=TILL)

    assert slug(refused) == (409, "status-points")
    assert slug(unknown) == (422, "invalid-request")
    assert held.status_code == 201
