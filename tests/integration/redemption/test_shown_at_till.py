"""What an identifier may do by its type and entry method, and QR tokens, at a hold and when a balance is asked for."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from shared.ids import IdentifierType, hash_identifier
from tests.support.databases import FreshDatabase
from tests.support.qr import QR_KEYS, qr_token
from tests.support.receipts import member
from tests.support.redemption import KEY, Spending, linked
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
PHONE, CARD = "+12125550123", "0042"
CAPABILITIES = {
    "version": 7,
    "rows": [
        {"type": "phone", "entry_method": "keyed", "may_see_balance": False, "spend_points_max": 0},
        {"type": "card", "entry_method": "keyed", "spend_points_max": 50},
        {"type": "card", "entry_method": "swiped", "spends_with_code_only": True},
    ],
}


@pytest.fixture(scope="module")
async def till(own_database: FreshDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    async with redemption_service(own_database, "api", qr_keys=QR_KEYS, identifier_capabilities=CAPABILITIES) as client:
        yield client


@pytest.fixture
async def anna(spending: Spending) -> UUID:
    await spending.enrol(ANNA, 1000)
    phone, card = hash_identifier(IdentifierType.PHONE, PHONE, KEY), hash_identifier(IdentifierType.CARD, CARD, KEY)
    await spending.members(linked(ANNA, phone), linked(ANNA, card))
    return ANNA


def headers() -> dict[str, str]:
    return bearing("redemptions:write", "balances:read", client_id="g", partner_id="grocer")


def shown(kind: str, value: str, entry_method: str = "scanned") -> dict[str, str]:
    return {"type": kind, "value": value, "entry_method": entry_method}


async def hold(till: httpx2.AsyncClient, identifier: dict[str, str], points: int = 10, **more: Any) -> httpx2.Response:
    body = {"identifier": identifier, "points": points} | more
    return await till.post("/v1/redemptions", json=body, headers=headers())


async def look_up(till: httpx2.AsyncClient, identifier: dict[str, str]) -> httpx2.Response:
    return await till.post("/v1/balances:lookup", json={"identifier": identifier}, headers=headers())


def outcome(response: httpx2.Response) -> str:
    return "held" if response.status_code == 201 else str(response.json()["type"].rpartition("/")[2])


async def test_a_phone_that_a_cashier_keyed_neither_spends_nor_sees_the_balance(
    till: httpx2.AsyncClient, anna: UUID
) -> None:
    refused = await hold(till, shown("phone", PHONE, "keyed"))
    assert outcome(refused) == "identifier-may-not-spend"
    assert refused.json()["capabilities_version"] == 7
    unseen = await look_up(till, shown("phone", PHONE, "keyed"))
    assert (unseen.status_code, outcome(unseen)) == (403, "identifier-may-not-see-balance")
    assert outcome(await hold(till, shown("phone", PHONE))) == "held"
    seen = await look_up(till, shown("phone", PHONE))
    assert (seen.json()["member_id"], seen.json()["balances"][0]["available"]) == (str(anna), 990)


@pytest.mark.usefixtures("anna")
async def test_a_keyed_card_spends_up_to_its_limit(till: httpx2.AsyncClient) -> None:
    assert outcome(await hold(till, shown("card", CARD, "keyed"), 50)) == "held"
    refused = await hold(till, shown("card", CARD, "keyed"), 51)
    assert (outcome(refused), refused.json()["spend_points_max"]) == ("identifier-spends-less", 50)


async def test_a_swiped_card_spends_with_a_code_of_the_same_member_alone(
    till: httpx2.AsyncClient, spending: Spending, anna: UUID
) -> None:
    await spending.enrol(BERT, 100)
    card, now = shown("card", CARD, "swiped"), await spending.now()
    assert outcome(await hold(till, card)) == "code-needed"
    assert outcome(await hold(till, card, code=qr_token(BERT, now))) == "other-members-code"
    assert outcome(await hold(till, card, code=qr_token(anna, now))) == "held"
    assert outcome(await hold(till, card, code="TQ1.nothing")) == "invalid-request"


async def test_a_qr_token_spends_once_and_for_its_own_session(
    till: httpx2.AsyncClient, spending: Spending, anna: UUID
) -> None:
    session_id = uuid4()
    token = shown("token", qr_token(anna, await spending.now(), session_id))
    assert outcome(await hold(till, token, session_id=str(uuid4()))) == "other-session"
    too_much = await hold(till, token, 5_000, session_id=str(session_id))
    assert outcome(too_much) == "insufficient-points"  # nothing was reserved: the token may be tried again
    redemption_id = str(uuid4())
    held = await hold(till, token, session_id=str(session_id), redemption_id=redemption_id)
    assert (held.status_code, held.json()["session_id"]) == (201, str(session_id))
    again = await hold(till, token, session_id=str(session_id), redemption_id=redemption_id)
    assert again.json() == held.json()
    assert outcome(await hold(till, token)) == "session-spent"
    assert (await spending.balance(anna)).held == 10


async def test_a_qr_token_counts_for_sixty_seconds_and_only_as_it_was_made(
    till: httpx2.AsyncClient, spending: Spending, anna: UUID
) -> None:
    now = await spending.now()
    late = shown("token", qr_token(anna, now - timedelta(seconds=62)))
    assert outcome(await hold(till, late)) == "qr-token-not-valid"
    assert outcome(await look_up(till, late)) == "qr-token-not-valid"
    foreign = shown("token", qr_token(anna, now, keys="1:" + "77" * 32))
    refused = await hold(till, foreign)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/identifier/value")
    assert outcome(await hold(till, shown("token", qr_token(anna, now - timedelta(seconds=50))))) == "held"


async def test_a_blocked_card_sees_no_balance(till: httpx2.AsyncClient, spending: Spending, anna: UUID) -> None:
    card = hash_identifier(IdentifierType.CARD, CARD, KEY)
    assert (await look_up(till, shown("card", CARD))).status_code == 200
    await spending.members(linked(anna, card, version=2, is_blocked=True))
    assert outcome(await look_up(till, shown("card", CARD))) == "identifier-blocked"
    assert (await look_up(till, shown("card", "9999"))).status_code == 404
