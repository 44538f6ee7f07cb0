"""A return that names no purchase follows the policy of its time: refused, ignored, taken back by its goods, or looked
at by two people, who link it to its purchase or dismiss it.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from services.accrual.domain.rules import RuleSet
from services.accrual.metrics import UNLINKED_RETURNS_OLDEST_SECONDS, UNLINKED_RETURNS_WAITING
from services.accrual.use_cases.link_returns import approve
from services.accrual.watching import watch_unlinked_returns
from shared.database import Transaction
from shared.events.points import PointsClawedBack, ReceiptRefused
from shared.events.purchases import ExchangeRecorded, PurchaseLine, PurchaseRecorded, ReturnRecorded
from shared.ledger import Balances
from shared.receipt_key import natural_key_of
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import BOSS, SUPPORT, Client, slug
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.ledger_database import verified
from tests.support.member_data import read_all
from tests.support.receipts import (
    RULES,
    card,
    changed_rules,
    enrolled,
    exchange_of,
    line,
    linked,
    merged_into,
    purchase,
    return_of,
    unlinked_return,
    void_of,
)
from tests.support.registries import bearing

# Each policy has a month of its own.
MONTHS = {"refuse": 3, "ignore": 4, "claw_back": 5, "park": 6, "clip": 7, "spent": 8}
SAID: dict[str, dict[str, str]] = {
    "refuse": {},
    "ignore": {"unlinked": "ignore"},
    "claw_back": {"unlinked": "claw_back"},
    "park": {"unlinked": "park"},
    "clip": {"unlinked": "claw_back", "claw_back": "clip"},
    "spent": {"unlinked": "claw_back", "claw_back": "refuse"},
}
TWELVE = (
    "The return names no purchase. By the rules in force when it was made its goods give 12 points by themselves,"
    " of which 12 were taken back."
)
numbers = count(1)


def at(policy: str) -> datetime:
    return datetime(2026, MONTHS[policy], 10, 12, tzinfo=UTC)


def rules_of(policy: str) -> RuleSet:
    begin = datetime(2026, MONTHS[policy], 1, tzinfo=UTC)
    return changed_rules(returns=SAID[policy], version=MONTHS[policy], effective_from=begin)


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, *map(rules_of, MONTHS), zone=PROGRAMME.zone) as accrual:
        yield accrual


async def bought(
    accrual: Accrual, owner: UUID | None, policy: str, lines: list[PurchaseLine] | int = 1000, **said: Any
) -> PurchaseRecorded:
    sale = purchase(next(numbers), lines, owner=owner, occurred_at=at(policy), **said)
    await accrual.award(sale)
    return sale


def came_back(owner: UUID | None, policy: str, lines: list[PurchaseLine] | int = 400, **said: Any) -> ReturnRecorded:
    return unlinked_return(next(numbers), lines, owner=owner, occurred_at=at(policy), **said)


async def story_of(client: Client, receipt_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/receipts/{receipt_id}", headers=bearing("receipts:read"))
    assert answer.status_code == 200, answer.text
    story: dict[str, Any] = answer.json()
    return story


async def told(accrual: Accrual) -> list[tuple[int, int, int]]:
    events = [event for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    return [(one.data.points, one.data.became_debt, one.data.clipped) for one in events]


async def test_by_default_it_is_refused(module_accrual: Accrual, anna: UUID) -> None:
    await bought(module_accrual, anna, "refuse")
    back = came_back(anna, "refuse")

    report = await module_accrual.award(back)

    assert report.refused == {"unlinked_return": 1}
    assert (await module_accrual.award(back)).duplicates == 1
    assert [one.data.reason for one in await module_accrual.drain() if isinstance(one, ReceiptRefused)] == [
        "unlinked_return"
    ]
    assert await module_accrual.balance(anna) == Balances(available=10)


async def test_ignored_it_is_kept_and_takes_nothing(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    await bought(module_accrual, anna, "ignore")
    back = came_back(anna, "ignore")

    assert (await module_accrual.award(back)).unlinked == {"ignored": 1}
    assert (await module_accrual.award(back)).duplicates == 1

    story = await story_of(client, back.data.receipt_id)
    assert (story["status"], story["unlinked"]["state"], story["unlinked"]["points"]) == ("awarded", "ignored", 0)
    assert story["trace_in_words"] == [
        "The return names no purchase. By the rules in force when it was made it is kept, and takes no points."
    ]
    assert await module_accrual.balance(anna) == Balances(available=10)
    (kept,) = [one for one in await read_all(client, anna) if one["kind"] == "unlinked_return"]
    assert (kept["receipt_id"], kept["state"], kept["document"]["total_minor"]) == (
        back.data.receipt_id,
        "ignored",
        400,
    )


async def test_it_takes_what_its_goods_give_everybody(
    client: Client, module_accrual: Accrual, module_database: FreshDatabase, anna: UUID
) -> None:
    await bought(module_accrual, anna, "claw_back", [line(1, 1000, "PRODUCE")])  # doubled: 20
    await bought(module_accrual, anna, "claw_back", [line(1, 500)], partner_id="fuel")  # 10
    back = came_back(anna, "claw_back", [line(1, 1199, "PRODUCE"), line(2, 50)])  # 12.49 dollars at a point each
    await module_accrual.drain()

    assert (await module_accrual.award(back)).unlinked == {"taken_back": 1}
    assert (await module_accrual.award(back)).duplicates == 1

    (event,) = [one for one in await module_accrual.drain() if isinstance(one, PointsClawedBack)]
    assert (event.data.points, event.data.became_debt, event.data.cause) == (12, 0, "unlinked_return")
    assert event.data.original_receipt_id == event.data.receipt_id == back.data.receipt_id
    assert (event.data.partner_id, event.data.occurred_at) == ("grocer", at("claw_back"))
    assert await module_accrual.balance(anna) == Balances(available=18)
    story = await story_of(client, back.data.receipt_id)
    assert story["unlinked"] | {"member_id": None, "rule_set_version": None} == {
        "state": "taken_back",
        "member_id": None,
        "rule_set_version": None,
        "points": 12,
        "became_debt": 0,
        "clipped": 0,
    }
    assert story["trace_in_words"] == [
        TWELVE,
        "Judged by rule set 5.",
        "12.49 USD of the receipt earns.",
        "“One point a dollar”: 1 point for each 1.00 USD of 12.49 USD gives 12.49, rounded down to 12 points.",
        "In all: 12 points.",
    ]
    await verified(module_database)


async def test_what_is_gone_is_owed_clipped_or_refused_as_of_every_return(module_accrual: Accrual, anna: UUID) -> None:
    for policy, taken in (("claw_back", (15, 5, 0)), ("clip", (0, 0, 15)), ("spent", None)):
        await bought(module_accrual, anna, policy)
        await module_accrual.drain()
        back = came_back(anna, policy, 1500)

        report = await module_accrual.award(back)

        if policy == "claw_back":
            assert await told(module_accrual) == [taken]
            assert await module_accrual.balance(anna) == Balances(debt=5)
        elif policy == "clip":  # ten more pay the five that are owed
            assert await told(module_accrual) == [(5, 0, 10)]
            assert await module_accrual.balance(anna) == Balances()
        else:
            assert report.refused == {"points_spent": 1}
            assert await module_accrual.balance(anna) == Balances(available=10)


async def test_before_its_member_is_known_it_waits_and_the_order_makes_no_difference(
    module_accrual: Accrual, anna: UUID
) -> None:
    hashed = card(next(numbers))
    back = came_back(None, "claw_back", identifier_hash=hashed)
    nobodys = came_back(None, "claw_back")

    report = await module_accrual.award(back, nobodys)
    assert report.parked == {"unknown_identifier": 1, "no_identifier": 1}
    await module_accrual.members(linked(anna, hashed))
    (released,) = await module_accrual.released()
    assert (await module_accrual.award(released)).unlinked == {"taken_back": 1}
    assert await module_accrual.balance(anna) == Balances(debt=4)
    await bought(module_accrual, anna, "claw_back")
    assert await module_accrual.balance(anna) == Balances(available=6)


async def asked(client: Client, receipt_id: str, what: str, by: str, body: dict[str, Any] | None = None) -> Any:
    scope = "unlinked-returns:write" if what in ("link", "dismiss") else "unlinked-returns:approve"
    return await client.post(
        f"/v1/unlinked-returns/{receipt_id}/{what}", json=body, headers=bearing(scope, client_id=by)
    )


def link_to(sale: PurchaseRecorded | ExchangeRecorded, lines: dict[int, int] | None = None) -> dict[str, Any]:
    said = [{"line_id": one, "original_line_id": other} for one, other in (lines or {}).items()]
    return {"original_receipt_id": sale.data.receipt_id, "lines": said, "reason_code": "receipt_found"}


async def waiting(client: Client) -> list[str]:
    answer = await client.get("/v1/unlinked-returns", headers=bearing("unlinked-returns:read"))
    return [one["receipt_id"] for one in answer.json()["items"]]


async def test_two_people_link_it_and_it_goes_on_as_a_return_of_that_purchase(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(module_accrual, anna, "park", [line(1, 300), line(2, 1000, "PRODUCE", 2000)])  # 3 + 2 x 10
    back = came_back(None, "park", [line(1, 500, "PRODUCE")])  # without a card: half of the second line
    later = came_back(anna, "park")
    assert (await module_accrual.award(back)).parked == {"unlinked_return": 1}
    assert (await module_accrual.award(later)).parked == {"unlinked_return": 1}
    await module_accrual.drain()
    receipt_id = back.data.receipt_id
    assert await waiting(client) == [receipt_id, later.data.receipt_id]  # the oldest first
    await watch_unlinked_returns(module_accrual.database)
    assert UNLINKED_RETURNS_WAITING._value.get() == 2
    assert UNLINKED_RETURNS_OLDEST_SECONDS._value.get() > 0

    nowhere = await asked(client, receipt_id, "link", SUPPORT, link_to(sale, {1: 7}))
    proposed = await asked(client, receipt_id, "link", SUPPORT, link_to(sale, {1: 2}))
    again = await asked(client, receipt_id, "link", SUPPORT, link_to(sale, {1: 2}))
    other = await asked(client, receipt_id, "dismiss", BOSS, {"reason_code": "no_receipt"})
    own = await asked(client, receipt_id, "approve", SUPPORT)

    assert slug(nowhere) == (422, "not-linkable")
    assert (proposed.status_code, proposed.json()["state"], again.json()) == (200, "waiting", proposed.json())
    assert (slug(other), slug(own)) == ((409, "proposal-waits"), (403, "own-proposal"))
    assert (await module_accrual.award(back)).parked == {"unlinked_return": 1}  # sent again, it still waits
    done = await asked(client, receipt_id, "approve", BOSS)
    assert (done.json()["state"], done.json()["decided_by"]) == ("linked", BOSS)
    assert (await asked(client, receipt_id, "approve", BOSS)).json() == done.json()
    (published,) = await module_accrual.released()

    assert (await module_accrual.award(published, back)).clawed_back == 1
    assert (await module_accrual.award(back, published)).duplicates == 2
    assert await told(module_accrual) == [(10, 0, 0)]
    assert await module_accrual.balance(anna) == Balances(available=13)
    story = await story_of(client, receipt_id)
    assert (story["returned"]["original_receipt_id"], story["returned"]["points"]) == (sale.data.receipt_id, 10)
    assert (await module_accrual.award(return_of(sale, next(numbers), {2: 1500}))).refused == {
        "returned_more_than_bought": 1
    }
    assert slug(await asked(client, receipt_id, "link", SUPPORT, link_to(sale))) == (409, "return-decided")

    refused = await asked(client, later.data.receipt_id, "dismiss", SUPPORT, {"reason_code": "no_receipt"})
    assert refused.json()["proposal"] == "dismiss"
    assert (await asked(client, later.data.receipt_id, "refuse", SUPPORT)).json()["proposal"] is None
    await asked(client, later.data.receipt_id, "dismiss", SUPPORT, {"reason_code": "no_receipt"})
    assert (await asked(client, later.data.receipt_id, "approve", BOSS)).json()["state"] == "dismissed"
    assert (await module_accrual.award(later)).duplicates == 1
    story = await story_of(client, later.data.receipt_id)
    assert story["trace_in_words"] == [
        "The return names no purchase. Two people looked at it, and it takes no points: no_receipt."
    ]
    assert await module_accrual.balance(anna) == Balances(available=13)
    assert await waiting(client) == []
    document = await client.get(f"/v1/unlinked-returns/{receipt_id}", headers=bearing("unlinked-returns:read"))
    assert (document.json()["document"]["total_minor"], document.json()["lines"]) == (
        500,
        [{"line_id": 1, "original_line_id": 2}],
    )


async def test_goods_that_came_by_an_exchange_are_linked_to_that(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(module_accrual, anna, "park")
    exchange = exchange_of(sale, next(numbers), {1: 1000}, [line(3, 1500, "PRODUCE")], owner=anna)
    back = came_back(None, "park", [line(1, 1500, "PRODUCE")])
    await module_accrual.award(exchange)
    assert await module_accrual.balance(anna) == Balances(available=30)
    await module_accrual.award(back)

    proposed = await asked(client, back.data.receipt_id, "link", SUPPORT, link_to(exchange, {1: 3}))
    assert proposed.status_code == 200, proposed.text
    await asked(client, back.data.receipt_id, "approve", BOSS)
    await module_accrual.award(*await module_accrual.released())

    assert await module_accrual.balance(anna) == Balances()


async def test_training_strange_tills_and_members_who_were_merged_are_as_for_every_document(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    bert = new_member()
    await module_accrual.members(enrolled(bert))
    await bought(module_accrual, bert, "claw_back")
    back, training = came_back(bert, "claw_back"), came_back(bert, "claw_back")
    training = training.model_copy(update={"data": training.data.model_copy(update={"is_training": True})})
    strange = came_back(bert, "claw_back", partner_id="unheard-of")

    report = await module_accrual.award(back, training, strange)
    await module_accrual.members(merged_into(anna, bert))

    assert (report.unlinked, report.refused, report.parked) == (
        {"taken_back": 1},
        {"training": 1},
        {"unknown_till": 1},
    )
    assert (await story_of(client, back.data.receipt_id))["unlinked"]["member_id"] == str(anna)
    later = came_back(bert, "claw_back", 100)
    assert (await module_accrual.award(later)).unlinked == {"taken_back": 1}
    assert await module_accrual.balance(anna) == Balances(available=5)


async def test_a_purchase_that_cannot_be_its_own_is_not_linked(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    back = came_back(anna, "park", 1000)
    voided = await bought(module_accrual, anna, "park")
    others = await bought(module_accrual, anna, "park", partner_id="fuel")
    await module_accrual.award(back, void_of(voided, next(numbers)))
    unknown = purchase(next(numbers), 1000, owner=anna)

    for sale in (voided, others, unknown):
        answer = await asked(client, back.data.receipt_id, "link", SUPPORT, link_to(sale))
        assert slug(answer) == (422, "not-linkable"), answer.text
    partner = bearing("unlinked-returns:read", partner_id="grocer")
    assert (await client.get("/v1/unlinked-returns", headers=partner)).status_code == 403


async def test_a_till_that_sends_it_again_meets_the_approval_in_its_claim(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(module_accrual, anna, "park")
    back = came_back(anna, "park")
    await module_accrual.award(back)
    await asked(client, back.data.receipt_id, "link", SUPPORT, link_to(sale))
    await module_accrual.drain()
    key = natural_key_of(back.data.receipt_id)

    async def approved(transaction: Transaction) -> None:
        await approve(transaction, key, BOSS)

    async def sent_again(transaction: Transaction) -> None:
        await module_accrual.award_in(transaction, [back])

    await interleave(module_accrual.database, approved, sent_again)

    (published,) = await module_accrual.released()
    assert (await module_accrual.award(published)).duplicates == 1
    assert await module_accrual.balance(anna) == Balances()


async def test_the_purchase_is_voided_while_its_return_is_linked(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(module_accrual, anna, "park")
    back = came_back(anna, "park")
    await module_accrual.award(back)
    await asked(client, back.data.receipt_id, "link", SUPPORT, link_to(sale))

    await interleave(
        module_accrual.database,
        partial(_award_one, module_accrual, void_of(sale, next(numbers))),
        partial(_approve_and_award, module_accrual, back),
    )

    assert await module_accrual.balance(anna) == Balances()
    story = await story_of(client, back.data.receipt_id)
    assert (story["status"], story["refusals"][0]["reason"]) == ("refused", "original_voided")


async def _award_one(accrual: Accrual, event: Any, transaction: Transaction) -> None:
    await accrual.award_in(transaction, [event])


async def _approve_and_award(accrual: Accrual, back: ReturnRecorded, transaction: Transaction) -> None:
    await approve(transaction, natural_key_of(back.data.receipt_id), BOSS)
    await accrual.award_in(transaction, [back])
