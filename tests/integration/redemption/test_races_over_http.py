"""What a race over HTTP for one member's points leaves: never oversold, and nothing twice."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx2

from tests.support.redemption import Spending
from tests.support.till_calls import ANNA, RECEIPT, grocer, hold, slug

CLIENTS = 64


async def test_64_clients_race_for_one_members_balance(client: httpx2.AsyncClient, spending: Spending) -> None:
    """Each tries to take 30 of 1,000 points, and captures, voids or keeps what it got: never oversold."""
    await spending.enrol(ANNA, 1000)

    async def shop(number: int) -> str:
        answer = await hold(client, 30)
        if answer.status_code != 201:
            return slug(answer)
        at = f"/v1/redemptions/{answer.json()['redemption_id']}"
        if number % 3 == 0:
            return "open"
        if number % 3 == 1:
            receipt = RECEIPT | {"number": number}
            taken = await client.post(f"{at}/capture", json={"receipt": receipt, "points": 20}, headers=grocer())
        else:
            taken = await client.post(f"{at}/void", headers=grocer())
        assert taken.status_code == 200
        return "captured" if number % 3 == 1 else "voided"

    outcomes = Counter(await asyncio.gather(*(shop(number) for number in range(CLIENTS))))

    balance = await spending.balance(ANNA)
    assert set(outcomes) <= {"open", "captured", "voided", "insufficient-points"}
    assert sum(outcomes.values()) == CLIENTS
    assert balance.held == 30 * outcomes["open"]
    assert balance.available == 1000 - 30 * outcomes["open"] - 20 * outcomes["captured"] >= 0
    await spending.check([ANNA], 1000)


async def test_64_clients_with_nothing_given_back_get_exactly_what_is_there(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)

    answers = await asyncio.gather(*(hold(client, 30) for _ in range(CLIENTS)))

    outcomes = Counter(answer.status_code for answer in answers)
    assert outcomes == {201: 33, 409: CLIENTS - 33}
    balance = await spending.balance(ANNA)
    assert (balance.available, balance.held) == (10, 990)
    kinds = Counter(await spending.kinds())
    assert kinds == {"Held": 33, "Declined": CLIENTS - 33}
    await spending.check([ANNA], 1000)


async def test_a_till_that_sends_its_own_id_from_64_places_holds_once(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = str(uuid4())

    answers = await asyncio.gather(*(hold(client, 30, redemption_id=redemption_id) for _ in range(CLIENTS)))

    assert {answer.status_code for answer in answers} == {201}
    assert (await spending.balance(ANNA)).held == 30
    assert await spending.kinds() == ["Held"]
