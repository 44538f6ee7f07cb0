"""A checkout while nothing of ours answers: the till is told what there is, and what is not."""

from datetime import timedelta
from typing import Any

import httpx2

from services.redemption.domain.write_off.quoting import BasketLine
from services.redemption.gateways.basket_previews import BasketPreviews, ToEarn
from services.redemption.gateways.member_names import MemberNames
from services.redemption.use_cases.check_out import CheckoutDesk, Sale
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked
from shared.database import Database
from shared.web.access_tokens import AccessToken
from tests.support.neighbour_host import EARNS
from tests.support.receipts import member
from tests.support.redemption import PROGRAMME

NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/none"
LINE: dict[str, Any] = {"line_id": 1, "sku": "a", "amount_minor": 700, "discount_minor": 30}
SALE = Sale(
    Spender(member(1)), Asked("grocer", [BasketLine(1, 700)], [None]), {"lines": [LINE]}, "grocer/s1/1", shows_name=True
)


def accrual(request: httpx2.Request) -> httpx2.Response:
    is_token = request.url.path == "/oauth/token"
    return httpx2.Response(200, json={"access_token": "good", "expires_in": 900} if is_token else EARNS)


async def test_without_a_database_the_basket_earns_all_the_same() -> None:
    database = Database(NOWHERE)
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(accrual)) as calls:
        token = AccessToken(calls, "http://test/oauth/token", "redemption", "secret")
        desk = CheckoutDesk(
            database=database,
            programme=PROGRAMME,
            baskets=BasketPreviews(calls, "http://test", token),
            names=MemberNames(calls, "http://test", token),
            language="en",
            quote_valid_for=timedelta(minutes=15),
            part_seconds_max=5.0,
        )
        found = await desk.check_out(SALE)
    await database.close()
    assert found.earn == ToEarn.model_validate(EARNS)
    assert {one.part: one.reason for one in found.absent} == dict.fromkeys(
        ("member", "name", "privileges", "spend"), "away"
    )
    assert found.message == "You will earn 12 points."


def test_what_privileges_take_off_is_a_discount_of_its_line() -> None:
    paid = SALE.discounted({1: 630})
    assert [(line.amount_minor, line.taken_off_minor) for line in paid.asked.lines] == [(630, 70)]  # floors know both
    assert paid.basket["lines"] == [LINE | {"amount_minor": 630, "discount_minor": 100}]
    assert SALE.basket["lines"] == [LINE]
