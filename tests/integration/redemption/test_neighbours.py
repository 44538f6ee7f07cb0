"""accrual, the registry and the token desk as they really answer what redemption asks them for a till."""

from collections.abc import Callable

import httpx2

from services.redemption.domain.pins import TriedPin
from services.redemption.gateways.basket_previews import BasketPreviews, PartToEarn
from services.redemption.gateways.member_names import MemberName, MemberNames
from services.redemption.gateways.member_pins import MemberPins
from services.redemption.gateways.return_previews import ComesBack, ReturnPreviews, Taken, TakenOfLine
from services.redemption.schemas.checkouts import CheckoutBody
from shared.database import Database
from shared.ids import IdentifierKey, IdentifierType, hash_identifier, new_id
from shared.web.access_tokens import AccessToken
from tests.support.accrual import Accrual
from tests.support.applications import application
from tests.support.databases import FreshDatabase
from tests.support.receipts import enrolled, linked, member, purchase
from tests.support.registries import (
    IDENTIFIER_KEY,
    bearing,
    coalition_client,
    coalition_settings,
    members_client,
    members_settings,
)

SECRET = "correct horse battery staple"
SCOPES = ["baskets:preview", "returns:preview", "members:name", "pins:verify"]
CLIENT = {"client_id": "redemption", "secret": SECRET, "scopes": SCOPES}
CARD = "400000000001"
# Everything that a checkout may say of its goods.
BASKET = CheckoutBody.model_validate(
    {
        "identifier": {"type": "card", "value": CARD, "entry_method": "keyed"},
        "lines": [
            {"line_id": 1, "sku": "sku-1", "category": "GROCERY", "quantity": "1.25", "amount_minor": 1000}
            | {"discount_minor": 100, "tax_minor": 70, "brand": "Acme", "kind": "goods"},
            {"line_id": 2, "sku": "sku-2", "category": "PRODUCE", "amount_minor": 250},
        ],
        "channel": "shop",
        "coupons": ["SPRING"],
    }
)


async def test_accrual_previews_a_basket_and_a_return_for_redemptions_own_client(
    fresh_database: FreshDatabase, database_of: Callable[[str], Database]
) -> None:
    accrual, anna = Accrual(database_of("accrual")), member(1)
    await accrual.begin()
    card = hash_identifier(IdentifierType.CARD, CARD, IdentifierKey(1, bytes.fromhex(IDENTIFIER_KEY)))
    await accrual.members(enrolled(anna), linked(anna, card))
    url = fresh_database.url("tessera_accrual")
    async with (
        coalition_client(database_of("coalition"), coalition_settings([CLIENT])) as tokens,
        application("accrual", url, TESSERA_IDENTIFIER_KEY=IDENTIFIER_KEY) as app,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client,
    ):
        token = AccessToken(tokens, "http://test/oauth/token", "redemption", SECRET)
        previews = BasketPreviews(client, "http://test", token)
        found = await previews.preview(BASKET.for_accrual("grocer", "s1", "1", "USD"))
        sale = purchase(1, 1_000, owner=anna)
        await accrual.award(sale)
        returns = ReturnPreviews(client, "http://test", token)
        back = [ComesBack(anna, "points", 3)]
        returned = await returns.preview(sale.data.receipt_id, {1: 1_000}, back)
    assert (returned.status, returned.policy) == ("awarded", "debt")
    assert returned.taken == (Taken(point_type="points", points=10, from_pending=0, lacking=0),)
    assert returned.taken_of_lines == (TakenOfLine(line_id=1, point_type="points", points=10, lacking=0),)
    assert returned.goods is not None
    assert [line.amount_minor for line in returned.goods.lines] == [1_000]
    assert (found.status, found.points) == ("awarded", 14)
    assert found.parts == (PartToEarn(point_type="points", points=14),)


async def test_the_registry_tells_a_name_and_remembers_who_saw_it(database_of: Callable[[str], Database]) -> None:
    enrolment = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"}
    async with (
        coalition_client(database_of("coalition"), coalition_settings([CLIENT])) as tokens,
        members_client(database_of("members")) as members,
    ):
        ada = (await members.post("/v1/members", json=enrolment, headers=bearing("members:write"))).json()["member_id"]
        token = AccessToken(tokens, "http://test/oauth/token", "redemption", SECRET)
        names = MemberNames(members, "http://test", token)
        found = await names.find(ada, "grocer/s1/1")
        assert await names.find(new_id(), "grocer/s1/1") is None
        seen = await members.get(f"/v1/personal-accesses?member_id={ada}", headers=bearing("members:audit"))
    assert found == MemberName("Ada", "L")
    assert "Ada" not in repr(found)
    assert [(one["accessed_by"], one["sight"]) for one in seen.json()["items"]] == [("grocer/s1/1", "name")]


async def test_the_registry_tells_whether_somebody_knows_a_members_pin(database_of: Callable[[str], Database]) -> None:
    enrolment = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"}
    async with (
        coalition_client(database_of("coalition"), coalition_settings([CLIENT])) as tokens,
        members_client(database_of("members"), members_settings(pin_rests_seconds=0)) as members,
    ):
        ada = (await members.post("/v1/members", json=enrolment, headers=bearing("members:write"))).json()["member_id"]
        pins = MemberPins(members, "http://test", AccessToken(tokens, "http://test/oauth/token", "redemption", SECRET))
        assert (await pins.ways(ada), await pins.verify(ada, "2846")) == (("code",), TriedPin("none"))
        await members.put(f"/v1/members/{ada}/pin", json={"pin": "2846"}, headers=bearing("pins:write"))
        assert await pins.ways(ada) == ("code", "pin")
        assert await pins.verify(ada, "2846") == TriedPin("verified")
        assert await pins.verify(ada, "2847") == TriedPin("wrong", 4)
        last = [await pins.verify(ada, "2847") for _ in range(4)][-1]
        locked = await pins.verify(ada, "2846")
        assert (await pins.ways(ada), await pins.ways(new_id())) == (("code",), ())
    assert (last.tries_left, locked.outcome, locked.locked_until) == (0, "locked", last.locked_until)
    assert locked.locked_until is not None
