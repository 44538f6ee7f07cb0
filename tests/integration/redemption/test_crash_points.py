"""A process may end at any statement of what it does for a till or for a batch of receipts, at its commit, and between
the commit and the answer: nothing is lost, nothing is done twice, and who asks again is told the first answer.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple
from uuid import UUID

import httpx2
import pytest

from services.redemption.consumer import PurchaseHandler
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent
from shared.ids import new_id
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from tests.support.mortal_process import KilledError, Mortal, mortal
from tests.support.receipts import member, return_of
from tests.support.receipts import void_of as void_of_receipt
from tests.support.redemption import PROGRAMME, Admin, Spending, paid_with_points, partner, till_receipt
from tests.support.rewards import Catalogue, programme

ANNA, BERT = member(1), member(2)
AFTER_SETTING_OUT = (400, 400)  # available and held
STATEMENTS_MIN, BATCH_STATEMENTS_MIN = 4, 20
WRITTEN = (
    *(f"redemption.{name}" for name in ("redemptions", "redemption_captures", "redemption_refunds")),
    *(f"redemption.redemption_{name}" for name in ("vouchers", "gifts", "receipts", "exceptions")),
    *(f"redemption.{name}" for name in ("idempotency", "outbox")),
    *(f"ledger.ledger_{name}" for name in ("accounts", "lots", "holds", "transfers")),
)

in_worker: ContextVar[bool] = ContextVar("in_worker", default=False)


class Step(NamedTuple):
    """What a till or an app asks for, and what Anna then has available and held."""

    path: str
    body: dict[str, Any] | None
    leaves: tuple[int, int]


async def set_out(client: httpx2.AsyncClient, spending: Spending) -> dict[str, Step]:
    """Of Anna's 1,000 points 200 are taken by receipt 1, 300 reserved, and 100 in a voucher."""
    await spending.coalition(partner("grocer", "Grocer"))
    await spending.enrol(ANNA, 1_000)
    await spending.enrol(BERT)
    captured = (await spending.held(ANNA, 200)).redemption_id
    await spending.capture(captured, 1)
    opened = (await spending.held(ANNA, 300)).redemption_id
    catalogue = Catalogue(client)
    await catalogue.offer(pieces=5)
    voucher = await catalogue.issued(ANNA)
    await spending.drain()
    first, second, third = [till_receipt(number).model_dump(mode="json") for number in (1, 2, 3)]
    anna = {"member_id": str(ANNA)}
    gift = anna | {"gift_id": str(new_id()), "receiver_id": str(BERT), "points": 70}
    use = {"code": voucher["code"], "receipt": second, "partner_id": "grocer"}
    return {
        "hold": Step("redemptions", anna | {"points": 100, "partner_id": "grocer"}, (300, 500)),
        "capture": Step(f"redemptions/{opened}/capture", {"receipt": second, "points": 250}, (450, 100)),
        "void": Step(f"redemptions/{opened}/void", None, (700, 100)),
        "shrink": Step(f"redemptions/{opened}/shrink", {"points": 50}, (650, 150)),
        "refund": Step(
            f"redemptions/{captured}/refund", {"original": first, "receipt": third, "points": 60}, (460, 400)
        ),
        "gift": Step("gifts", gift, (330, 400)),
        "issue": Step("rewards/coffee/issue", anna | {"voucher_id": str(new_id())}, (300, 500)),
        "use": Step("vouchers:use", use, (400, 300)),
        "cancel": Step(f"vouchers/{voucher['voucher_id']}/cancel", {"reason_code": "asked"}, (500, 300)),
    }


async def written(admin: Admin) -> list[str]:
    """All rows of what a step may write."""
    return [
        await admin.fetchval(
            f"select md5(coalesce(string_agg(one::text, '|' order by one::text), '')) from {table} one"
        )
        for table in WRITTEN
    ]


async def has(spending: Spending, owner: UUID = ANNA) -> tuple[int, int]:
    balance = await spending.balance(owner)
    return balance.available, balance.held


STEPS = ("hold", "capture", "void", "shrink", "refund", "gift", "issue", "use", "cancel")


@pytest.mark.parametrize("name", STEPS)
async def test_a_process_that_ends_at_any_statement_of_a_request_leaves_everything_as_it_was(
    client: httpx2.AsyncClient, spending: Spending, admin: Admin, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    step = (await set_out(client, spending))[name]
    headers = programme("redemptions:write", "gifts:write", "rewards:issue")
    before = await written(admin)

    async def ask() -> httpx2.Response:
        return await client.post(f"/v1/{step.path}", json=step.body, headers=headers)

    with mortal(monkeypatch, lambda words: "pg_try_advisory_xact_lock" in words) as process:
        dies_at = 0
        process.dies_at(dies_at)
        answer = await ask()
        while process.has_died:
            assert answer.status_code == 500
            assert await written(admin) == before, dies_at
            dies_at += 1
            process.dies_at(dies_at)
            answer = await ask()
    assert dies_at > STATEMENTS_MIN
    assert answer.is_success, answer.text
    assert (await has(spending), len(await spending.drain())) == (step.leaves, 1)
    once = await written(admin)
    again = await ask()
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (answer.json(), "true")
    assert await written(admin) == once


@pytest.mark.parametrize("name", STEPS)
async def test_a_commit_whose_answer_was_lost_is_answered_when_it_is_asked_for_again(
    client: httpx2.AsyncClient, spending: Spending, admin: Admin, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    step = (await set_out(client, spending))[name]
    headers = programme("redemptions:write", "gifts:write", "rewards:issue")

    with mortal(monkeypatch, lambda words: "pg_try_advisory_xact_lock" in words) as process:
        process.loses_the_answer_to_its_commit()
        unanswered = await client.post(f"/v1/{step.path}", json=step.body, headers=headers)
    once = await written(admin)
    again = await client.post(f"/v1/{step.path}", json=step.body, headers=headers)

    assert (unanswered.status_code, again.is_success) == (503, True), again.text
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await written(admin) == once
    assert (await has(spending), len(await spending.drain())) == (step.leaves, 1)


async def one_of_everything(spending: Spending) -> Batch[PurchaseEvent]:
    """Anna has 500 points and a hold of 300. Receipt 1 takes its hold, receipt 2 takes 100 late, receipt 3 took 200
    over HTTP and is voided, receipt 4 takes 200 late and its goods come back: 600 are left."""
    await spending.enrol(ANNA, 1_000)
    taken, opened = [(await spending.held(ANNA, points)).redemption_id for points in (200, 300)]
    await spending.capture(taken, 3)
    await spending.drain()
    first, second, third, fourth = (
        paid_with_points(number, points, redemption_id, owner=ANNA)
        for number, points, redemption_id in ((1, 300, opened), (2, 100, None), (3, 200, taken), (4, 200, None))
    )
    events: Sequence[PurchaseEvent] = (
        return_of(fourth, 9, {1: 1_000}),
        first,
        second,
        void_of_receipt(third, 8),
        third,
        fourth,
    )
    told = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    return Batch(tuple(told), ())


async def test_a_worker_that_ends_at_any_statement_of_a_batch_loses_and_doubles_nothing(
    spending: Spending, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the same batch again each time, from whatever it had committed by then."""
    batch = await one_of_everything(spending)
    handler = PurchaseHandler(spending.database, PROGRAMME, BatchSize(200))
    in_worker.set(True)

    with mortal(monkeypatch, lambda words: words.startswith("begin") and in_worker.get()) as process:
        dies_at = 0
        while not await survives(handler, batch, process, dies_at):
            dies_at += 1
    in_worker.set(False)

    assert dies_at > BATCH_STATEMENTS_MIN
    assert await has(spending) == (600, 0)
    assert sorted(await spending.kinds()) == ["Captured"] * 3 + ["Refunded"] * 2
    once = await written(admin)
    await handler.handle(batch)
    assert await written(admin) == once
    assert await spending.exceptions() == []


async def survives(handler: PurchaseHandler, batch: Batch[PurchaseEvent], process: Mortal, dies_at: int) -> bool:
    """Handle the batch in a process that ends at its statement of this number; whether it came to its end."""
    process.dies_at(dies_at)
    try:
        await handler.handle(batch)
    except KilledError:
        return False
    return True
