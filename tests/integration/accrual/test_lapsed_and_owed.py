"""Points that had lapsed are given back, and debts are shown and forgiven: by two persons, each once."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx2

from services.accrual.repository import old_debts
from shared import ledger
from shared.events.adjustments import DebtWrittenOff, PointsReinstated
from shared.ledger import Balances, ClawBack, Earn, Expire, LotTerms
from tests.support.accrual import Accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import ADJUSTMENTS, BOSS, Client, decide, listed, slug
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import posted, verified
from tests.support.member_events import status_changed
from tests.support.receipts import enrolled, merged_into, purchase, return_of
from tests.support.registries import bearing

TODAY = datetime.now(UTC).date()
_numbers = count(1)


async def lapsed(accrual: Accrual, owner: UUID, points: int, days_ago: int, issuer: str = "grocer") -> LotTerms:
    """Points that were earned long ago and lapsed so many days ago."""
    terms = LotTerms(issuer, date(2024, 1, 1), TODAY - timedelta(days=days_ago))
    reference = f"lapsed {next(_numbers)}".encode()
    await posted(
        accrual.database, Earn(owner, "points", reference, points, terms), Expire(owner, "points", reference, terms)
    )
    return terms


async def ask(
    client: Client, owner: UUID, what: str, points: int, *, by: str = "", key: str | None = None, **said: Any
) -> httpx2.Response:
    scope = {"points:reinstate": "points:reinstate", "debt:write-off": "debts:write-off"}[what]
    headers = bearing(scope, client_id=by or uuid4().hex) | ({"Idempotency-Key": key} if key else {})
    body = {"points": points, "reason_code": "goodwill"} | said
    return await client.post(f"/v1/members/{owner}/{what}", json=body, headers=headers)


async def shown(client: Client, owner: UUID, what: str) -> dict[str, Any]:
    found: dict[str, Any] = (
        await client.get(f"/v1/members/{owner}/{what}", headers=bearing("adjustments:read"))
    ).json()
    return found


async def test_what_lapsed_last_is_given_back_first_with_its_own_history_and_once(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    await lapsed(module_accrual, anna, 100, 5)
    await lapsed(module_accrual, anna, 50, 20, issuer="fuel")
    await lapsed(module_accrual, anna, 70, 91)  # too long ago
    told = await shown(client, anna, "lapsed-points")
    assert [(each["issuer"], each["points"]) for each in told["lapsed"]] == [("grocer", 100), ("fuel", 50)]
    await module_accrual.drain()
    key = uuid4().hex

    first = await ask(client, anna, "points:reinstate", 120, by="desk", key=key)
    again = await ask(client, anna, "points:reinstate", 120, by="desk", key=key)

    assert first.status_code == 201, first.text
    assert again.json() == first.json()
    assert (first.json()["act"], first.json()["state"], first.json()["posted_points"]) == ("reinstate", "posted", 120)
    assert await module_accrual.balance(anna) == Balances(available=120)
    (event,) = [each for each in await module_accrual.drain() if isinstance(each, PointsReinstated)]
    assert [(each.issuer, each.points) for each in event.data.by_issuer] == [("fuel", 20), ("grocer", 100)]
    assert event.data.expires_on == date.fromisoformat(told["expires_on"])
    assert slug(await ask(client, anna, "points:reinstate", 31)) == (409, "insufficient-points")
    assert (await ask(client, anna, "points:reinstate", 30)).json()["state"] == "posted"
    assert (await shown(client, anna, "lapsed-points"))["points"] == 0
    async with module_accrual.database.transaction() as transaction:
        lots = await transaction.raw.fetch(
            "select issuer, remaining from ledger_lots join ledger_accounts using (account_id)"
            " where owner_id = $1 and remaining > 0 order by issuer",
            anna,
        )
        lines = await ledger.load_statement(transaction, anna, "points")
    assert [tuple(lot) for lot in lots] == [("fuel", 50), ("grocer", 100)]
    assert sum(line.points for line in lines if line.purpose == "reinstate") == 150
    assert [each["act"] for each in await listed(client, member_id=str(anna), state="posted")] == ["reinstate"] * 2


async def test_many_who_give_it_back_at_once_give_it_back_once(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    await lapsed(module_accrual, anna, 100, 5)

    answers = await asyncio.gather(*(ask(client, anna, "points:reinstate", 60) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await module_accrual.balance(anna) == Balances(available=60)


async def test_debt_is_cleared_first_and_a_large_one_needs_a_second_person(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    anne = new_member()
    await module_accrual.members(enrolled(anne))
    await lapsed(module_accrual, anne, 10_500, 5)
    await module_accrual.members(status_changed(anne, "merged"), merged_into(anna, anne))
    terms = LotTerms("grocer", date(2024, 1, 1), None)
    await posted(module_accrual.database, ClawBack(anna, "points", b"owed", 300, terms, b"award"))

    waiting = (await ask(client, anna, "points:reinstate", 10_500, by="desk")).json()
    assert waiting["state"] == "waiting"
    approve = f"{ADJUSTMENTS}/{waiting['adjustment_id']}/approve"
    assert slug(await decide(client, approve, by="desk")) == (403, "own-adjustment")
    done = await decide(client, approve)

    assert (done.json()["state"], done.json()["decided_by"]) == ("posted", BOSS)
    assert await module_accrual.balance(anna) == Balances(available=10_200)


async def test_debts_are_shown_by_issuer_and_age_and_forgiven_by_a_second_person_alone(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    receipt = purchase(next(_numbers), 5000, owner=anna)
    await module_accrual.award(receipt)
    await posted(module_accrual.database, ledger.AdjustDown(anna, "points", b"gone", 50))
    await module_accrual.award(return_of(receipt, next(_numbers) + 5_000, {1: 600}))
    await posted(
        module_accrual.database,
        ClawBack(anna, "points", b"other", 20, LotTerms("fuel", date(2024, 1, 1), None), b"award"),
    )
    await module_accrual.drain()
    told = await shown(client, anna, "debts")
    assert [(each["issuer"], each["points"], each["days"]) for each in told["debts"]] == [
        ("grocer", 30, 0),
        ("fuel", 20, 0),
    ]
    assert [each["receipt_id"] is not None for each in told["debts"]] == [True, False]

    waiting = (await ask(client, anna, "debt:write-off", 40, by="desk")).json()
    assert waiting["state"] == "waiting"
    assert await module_accrual.balance(anna) == Balances(debt=50)
    done = (await decide(client, f"{ADJUSTMENTS}/{waiting['adjustment_id']}/approve")).json()

    assert (done["act"], done["posted_points"]) == ("write_off", 40)
    assert await module_accrual.balance(anna) == Balances(debt=10)
    (event,) = [each for each in await module_accrual.drain() if isinstance(each, DebtWrittenOff)]
    assert [(each.issuer, each.points) for each in event.data.by_issuer] == [("fuel", 10), ("grocer", 30)]
    assert (event.data.points, event.data.shortfall) == (40, 0)


async def test_what_was_cleared_meanwhile_is_not_forgiven(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    terms = LotTerms("grocer", date(2024, 1, 1), None)
    await posted(module_accrual.database, ClawBack(anna, "points", b"owed", 30, terms, b"award"))
    first, second = [(await ask(client, anna, "debt:write-off", 30)).json() for _ in range(2)]
    await posted(module_accrual.database, Earn(anna, "points", b"earned", 20, terms))

    done = (await decide(client, f"{ADJUSTMENTS}/{first['adjustment_id']}/approve")).json()
    late = await decide(client, f"{ADJUSTMENTS}/{second['adjustment_id']}/approve")

    assert (done["points"], done["posted_points"]) == (30, 10)
    assert slug(late) == (409, "nothing-owed")
    assert await module_accrual.balance(anna) == Balances()


async def test_what_is_owed_for_too_long_is_counted_for_operators(module_accrual: Accrual, anna: UUID) -> None:
    terms = LotTerms("grocer", date(2024, 1, 1), None)
    before = await module_accrual.database.run(partial(old_debts.find, age_max=timedelta(0)))
    await posted(module_accrual.database, ClawBack(anna, "points", b"owed", 30, terms, b"award"))

    after = await module_accrual.database.run(partial(old_debts.find, age_max=timedelta(0)))

    assert (after.accounts - before.accounts, after.points - before.points) == (1, 30)
    assert (await module_accrual.database.run(partial(old_debts.find, age_max=timedelta(days=1)))) == (0, 0)


async def test_partners_ask_for_neither_and_a_stranger_has_nothing(client: Client, anna: UUID) -> None:
    bound = bearing("points:reinstate", client_id="acme", partner_id="acme")
    body = {"points": 5, "reason_code": "goodwill"}
    answer = await client.post(f"/v1/members/{anna}/points:reinstate", json=body, headers=bound)
    assert slug(answer) == (403, "programme-only")
    assert slug(await ask(client, new_member(), "points:reinstate", 5)) == (404, "not-found")
    assert slug(await ask(client, anna, "points:reinstate", 5, reason_code="because")) == (422, "unknown-reason")
    assert (await ask(client, anna, "points:reinstate", 0)).status_code == 422
    assert (await shown(client, new_member(), "debts"))["debts"] == []


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
