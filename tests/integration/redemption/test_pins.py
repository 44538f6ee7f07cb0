"""A member confirms by a PIN what looks unusual, in the place of a code; over HTTP, on the real tables."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from shared.events.redemptions import PointsGifted, RedemptionHeld, SpendChallenged
from shared.ids import new_id
from shared.one_time_codes import CodeKeys
from tests.support.databases import FreshDatabase
from tests.support.fraud_host import FraudHost
from tests.support.logged import logged
from tests.support.pin_host import PinHost
from tests.support.receipts import member
from tests.support.redemption import Admin, Spending
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
KEYS = "1:" + "5a" * 32
PIN, WRONG = "28460193", "59031746"
CIRCUIT_OPENS = 5


@pytest.fixture(scope="module")
async def fraud() -> AsyncIterator[FraudHost]:
    host = FraudHost()
    async with host.listening():
        yield host


@pytest.fixture(scope="module")
async def members() -> AsyncIterator[PinHost]:
    host = PinHost()
    async with host.listening():
        yield host


@pytest.fixture(scope="module")
async def module_client(
    own_database: FreshDatabase, fraud: FraudHost, members: PinHost
) -> AsyncIterator[httpx2.AsyncClient]:
    settings: dict[str, Any] = {
        "fraud_url": fraud.url,
        "token_url": f"{fraud.url}/oauth/token",
        "members_url": members.url,
        "code_keys": KEYS,
        "fraud_deadline_ms": 10_000,  # a busy machine is no outage
        "pin_deadline_ms": 10_000,
    }
    async with redemption_service(own_database, "api", **settings) as client:
        yield client


@pytest.fixture
async def gated(
    module_client: httpx2.AsyncClient, fraud: FraudHost, members: PinHost, spending: Spending
) -> httpx2.AsyncClient:
    """Anna has 1,000 points and a PIN; Bert has neither. Fraud asks for a confirmation of everything."""
    fraud.status, fraud.verdict = 200, "step_up"
    members.as_first({str(ANNA): PIN})
    await spending.enrol(ANNA, 1_000)
    await spending.enrol(BERT)
    return module_client


def till() -> dict[str, str]:
    return bearing("redemptions:write", client_id="g", partner_id="grocer")


async def hold(client: httpx2.AsyncClient, headers: dict[str, str], points: int = 50, **others: Any) -> httpx2.Response:
    body = {"member_id": str(ANNA), "points": points} | others
    return await client.post("/v1/redemptions", json=body, headers=headers)


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"].rpartition("/")[2])


async def test_a_pin_lets_this_hold_go_once_and_what_is_sent_again_needs_none(
    gated: httpx2.AsyncClient, members: PinHost, spending: Spending, admin: Admin
) -> None:
    key, other = till(), till()
    with logged(service="redemption", role="api", level="debug") as logs:
        challenged = await hold(gated, key)
        assert (challenged.status_code, challenged.json()["confirm_by"]) == (202, ["code", "pin"])
        assert slug(await hold(gated, other, pin=PIN)) == (409, "no-code-sent")
        assert slug(await hold(gated, key, 51, pin=PIN)) == (422, "idempotency-key-reused")
        assert members.tried == 0, "nothing waited for it there"
        both = await asyncio.gather(*(hold(gated, key, pin=PIN) for _ in range(4)))
        held = [answer for answer in both if answer.status_code == 201]
        assert {answer.status_code for answer in both} <= {201, 409}
        assert len({answer.content for answer in held}) == 1
        members.status, tried = 503, members.tried
        again = [await hold(gated, key), await hold(gated, key, pin=WRONG), await hold(gated, key, pin=PIN)]
        assert {answer.content for answer in again} == {held[0].content}
        assert members.tried == tried
    events = await spending.drain()
    assert [type(event) for event in events] == [SpendChallenged, RedemptionHeld]
    assert isinstance(events[1], RedemptionHeld)
    assert events[1].data.decided_by == "pin"
    assert (await spending.balance(ANNA)).held == 50
    for name in ("idempotency", "outbox", "redemption_challenges", "redemptions"):
        rows = await admin.fetch(f"select row_to_json(kept)::text from redemption.{name} as kept")
        kept = " ".join(row[0] for row in rows)
        assert not [pin for pin in (PIN, WRONG) if pin in kept or pin.encode().hex() in kept], name
    assert not [pin for pin in (PIN, WRONG) if pin in logs.getvalue()]
    assert slug(await hold(gated, till(), pin=PIN)) == (409, "no-code-sent"), "of another hold it is asked anew"


async def test_a_wrong_pin_says_how_many_are_left_and_the_code_still_counts(
    gated: httpx2.AsyncClient, members: PinHost, spending: Spending
) -> None:
    key = till()
    challenged = await hold(gated, key)
    wrong = [await hold(gated, key, pin=WRONG) for _ in range(6)]
    assert [slug(answer)[1] for answer in wrong] == ["wrong-pin"] * 5 + ["pin-locked"]
    assert [answer.json().get("tries_left") for answer in wrong[:5]] == [4, 3, 2, 1, 0]
    assert slug(await hold(gated, key, pin=PIN)) == (409, "pin-locked")
    assert (await spending.balance(ANNA)).held == 0
    code = CodeKeys.parse(KEYS).code_of(UUID(challenged.json()["challenge_id"]), "1")
    assert slug(await hold(gated, key, pin=PIN, confirmation_code=code)) == (422, "invalid-request")
    assert (await hold(gated, key, confirmation_code=code)).status_code == 201
    assert members.tried == 7


async def test_who_has_no_pin_is_told_so(gated: httpx2.AsyncClient, members: PinHost) -> None:
    members.as_first({})
    key = till()
    told = (await hold(gated, key)).json()
    assert (told["confirm_by"], told["sent_by"]) == (["code"], "email")
    assert slug(await hold(gated, key, pin=PIN)) == (409, "no-pin")


@pytest.mark.parametrize(("pins", "ways"), [({str(ANNA): PIN}, ["pin"]), ({}, [])])
async def test_without_an_address_the_code_is_no_way(
    gated: httpx2.AsyncClient, members: PinHost, pins: dict[str, str], ways: list[str]
) -> None:
    members.as_first(pins)
    members.unreachable.add(str(ANNA))
    challenged = (await hold(gated, till())).json()
    assert (challenged["confirm_by"], challenged["sent_by"]) == (ways, None)


async def test_a_pin_is_tried_for_its_challenge_only_while_that_lasts(
    gated: httpx2.AsyncClient, members: PinHost, spending: Spending, admin: Admin
) -> None:
    key = till()
    assert (await hold(gated, key)).status_code == 202
    await spending.advance(admin, timedelta(minutes=6))
    assert slug(await hold(gated, key, pin=PIN)) == (409, "code-expired")
    assert members.tried == 0, "it would have been counted, for nothing"
    assert (await spending.balance(ANNA)).held == 0


async def test_a_gift_is_confirmed_by_the_givers_pin(
    gated: httpx2.AsyncClient, fraud: FraudHost, spending: Spending
) -> None:
    body = {"gift_id": str(new_id()), "member_id": str(ANNA), "receiver_id": str(BERT), "points": 70}
    app = bearing("gifts:write", client_id="app")
    challenged = await gated.post("/v1/gifts", json=body, headers=app)
    assert challenged.json()["confirm_by"] == ["code", "pin"]
    assert slug(await gated.post("/v1/gifts", json=body | {"pin": WRONG}, headers=app)) == (409, "wrong-pin")
    fraud.status = 503  # a challenge that was made is needed, whatever the ceiling says
    given = await gated.post("/v1/gifts", json=body | {"pin": PIN}, headers=app)
    assert given.status_code == 201, given.text
    _, event = await spending.drain()
    assert isinstance(event, PointsGifted)
    assert event.data.decided_by == "pin"


async def test_while_members_does_not_answer_a_pin_is_not_refused(
    gated: httpx2.AsyncClient, members: PinHost, spending: Spending
) -> None:
    key = till()
    assert (await hold(gated, key)).status_code == 202
    members.status = 503
    for _ in range(CIRCUIT_OPENS + 1):
        unchecked = await hold(gated, key, pin=PIN)
        assert slug(unchecked) == (503, "pin-unchecked")
        assert "Retry-After" in unchecked.headers
    assert (await hold(gated, till())).json()["confirm_by"] == ["code"]
    assert (await spending.balance(ANNA)).held == 0
    assert members.tried == 0
