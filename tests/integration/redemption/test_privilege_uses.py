"""Uses of privileges count once by their receipts, are limited exactly, and are undone by what comes back."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.redemption.api.member_data import member_data_router
from services.redemption.api.privilege_checks import privilege_checks_router
from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.consumer import PointsHandler, PurchaseHandler, concerns_spending
from services.redemption.domain import voiding
from services.redemption.domain.privileges.entitlement import Place
from services.redemption.domain.privileges.usage import Told, told_by
from services.redemption.programme import Programme
from services.redemption.repository.receipts import Refusal
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.reserve_privileges import NoUsesLeftError, Wanted, reserve_privileges
from services.redemption.use_cases.settle_privilege_uses import Change, settle_privilege_uses
from services.redemption.use_cases.undo_refused import undo_refused
from services.redemption.use_cases.void_receipts import void_receipts
from shared.database import Transaction
from shared.events.catalogue import POINTS, PURCHASES
from shared.events.points import ReceiptRefused, RefusalData
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReturnRecorded, UsedPrivilege
from shared.events.redemptions import PrivilegeUndone, PrivilegeUsed, PrivilegeUseData
from shared.ids import new_id
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from shared.receipt_key import natural_key_of
from tests.support.adjusting import slug
from tests.support.member_data import read_all, served
from tests.support.member_events import erased
from tests.support.privileges import applied, checked, declared, terms
from tests.support.receipts import line, member, merged_into, purchase, return_of, void_of
from tests.support.redemption import NOON, PROGRAMME, Spending, partner
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
TILL = bearing("redemptions:write", client_id="till", partner_id="grocer")
EACH_ONCE = {"per": "member", "uses_max": 1}
ONE_IN_ALL = {"per": "all", "uses_max": 1}
TWO_IN_ALL = {"per": "all", "period": "day", "uses_max": 2}
RACERS = 16


def using(
    number: int,
    owner: UUID | None = ANNA,
    *,
    privilege_id: str = "tenth",
    amount_minor: int = 100,
    session_id: UUID | None = None,
    contents: int = 0,
    partner_id: str = "grocer",
) -> PurchaseRecorded:
    """A receipt of ten pieces for 900 that a privilege made so much cheaper."""
    lines = [line(1, 900, quantity_thousandths=10_000)]
    event = purchase(number, lines, owner=owner, contents=contents, partner_id=partner_id)
    used = UsedPrivilege(privilege_id=privilege_id, line_id=1 if amount_minor else None, amount_minor=amount_minor)
    data = event.data.model_copy(update={"privileges": (used,), "session_id": session_id})
    return event.model_copy(update={"data": data})


async def settle(
    spending: Spending, *events: PurchaseEvent, read_to: datetime | None = None, told: Told | None = None
) -> list[Change]:
    """One batch, as the consumer does it."""
    if voids := [void for event in events if (void := voiding.void_of(event)) is not None]:
        await spending.do(lambda transaction: void_receipts(transaction, voids))
    return await spending.do(lambda transaction: settle_privilege_uses(transaction, told or told_by(events), read_to))


async def told(spending: Spending) -> list[PrivilegeUseData]:
    events = await spending.drain()
    assert all(isinstance(event, PrivilegeUsed | PrivilegeUndone) for event in events)
    return [event.data for event in events if isinstance(event, PrivilegeUsed | PrivilegeUndone)]


async def standing(spending: Spending) -> list[tuple[int, bool, str | None]]:
    """What is undone of each use, whether nothing is left, and what is against it."""

    async def work(transaction: Transaction) -> list[tuple[int, bool, str | None]]:
        rows = await transaction.raw.fetch(
            "select undone_minor, is_undone, objection from redemption_privilege_uses order by receipt_key"
        )
        return [tuple(row) for row in rows]

    return await spending.do(work)


async def reserve(spending: Spending, programme: Programme, owner: UUID = ANNA, session_id: UUID | None = None) -> UUID:
    session = session_id or new_id()
    wanted = Wanted(Place("grocer"), session, frozenset({"tenth"}), timedelta(minutes=15))
    await spending.do(lambda transaction: reserve_privileges(transaction, Spender(owner), wanted, programme))
    return session


async def test_a_use_is_told_with_who_pays_and_counts_once(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await declared(spending, terms("tenth", payers=[{"payer": "brand", "weight": 3}]))
    sold = using(1)
    assert [change.outcome for change in await settle(spending, sold, sold)] == ["used"]
    assert await settle(spending, sold) == []
    [use] = await told(spending)
    assert (use.member_id, use.amount_minor, use.cost_minor, use.version) == (ANNA, 100, 100, 1)
    assert [(one.payer, one.weight) for one in use.payers] == [("brand", 3)]
    assert (use.benefit, use.objection, use.is_undone) == ("percent", None, False)


async def test_parts_that_come_back_add_up_and_the_last_frees_the_use(spending: Spending) -> None:
    await spending.enrol(ANNA)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    sold = using(1, amount_minor=101)
    await settle(spending, sold)
    assert (await checked(spending, programme, ANNA)).spent == ["tenth"]
    parts = [back(sold, number, 1_000 * pieces) for number, pieces in ((11, 3), (12, 3), (13, 4))]
    for part in parts:
        await settle(spending, part)
        await settle(spending, part)
    assert [(use.undone_minor, use.is_undone, use.cost_minor) for use in await told(spending)] == [
        (0, False, 101),
        (30, False, 71),
        (60, False, 41),
        (101, True, 0),
    ]
    assert applied(await checked(spending, programme, ANNA)) == {"tenth": 100}
    await settle(spending, void_of(parts[0], 99))  # one return never was
    assert await standing(spending) == [(70, False, None)]
    assert (await checked(spending, programme, ANNA)).spent == ["tenth"]


async def test_purchase_return_and_void_in_any_order_leave_the_same(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await declared(spending, terms("tenth", limits=[TWO_IN_ALL]))
    for number, order in enumerate(permutations(range(4))):
        sold = using(number, amount_minor=50)
        first, second = back(sold, 1_000 + number, 2_000), back(sold, 2_000 + number, 4_000)
        events: Sequence[PurchaseEvent] = (sold, first, second, void_of(first, 3_000 + number))
        for place in order:
            await settle(spending, events[place])
        await settle(spending, *events)
    assert {row[:2] for row in await standing(spending)} == {(20, False)}
    assert await totals(spending) == 24


async def test_a_voided_receipt_and_a_refused_document_use_nothing(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await declared(spending, terms("tenth", limits=[TWO_IN_ALL]))
    voided, refused = using(1), using(2)
    await settle(spending, void_of(voided, 50))
    await settle(spending, voided, refused)
    key = natural_key_of(refused.data.receipt_id)
    await spending.do(lambda transaction: undo_refused(transaction, [Refusal(key, refused.data.content_hash)]))
    await settle(spending, told=Told(undone=frozenset({key})))
    await settle(spending, refused)
    assert await standing(spending) == [(100, True, None), (100, True, None)]
    assert await totals(spending) == 0
    await settle(spending, using(2, contents=1))  # the document that stands in its place
    assert await standing(spending) == [(100, True, None), (0, False, None)]
    assert await totals(spending) == 1


async def test_what_should_not_have_been_given_counts_with_an_objection(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.coalition(partner("grocer", "Grocer"))
    await declared(
        spending,
        terms("tenth", limits=[EACH_ONCE]),
        terms("elsewhere", stores=["grocer/s9"]),
        terms("over", last_day="2026-10-31"),
        terms("free", {"kind": "service", "cost_minor": 40}),
    )
    changes = await settle(
        spending,
        using(1),
        using(2),
        using(3, privilege_id="elsewhere"),
        using(4, privilege_id="over"),
        using(5, privilege_id="nobody-knows"),
        using(6, privilege_id="free", amount_minor=0),
    )
    outcomes = [change.outcome for change in changes]
    assert outcomes == ["used", "limit_exceeded", "other_place", "not_in_force", "unknown_privilege", "used"]
    assert [use.cost_minor for use in await told(spending)].count(40) == 1
    await settle(spending, back(using(6, privilege_id="free", amount_minor=0), 60, 10_000))  # the service was done
    assert (await standing(spending))[-1] == (0, False, None)


async def test_of_many_who_want_the_last_uses_as_many_get_them_as_there_are(spending: Spending) -> None:
    people = [member(number) for number in range(1, RACERS + 1)]
    for one in people:
        await spending.enrol(one)
    programme = await declared(spending, terms("tenth", limits=[TWO_IN_ALL, EACH_ONCE]))

    async def race(owner: UUID) -> str:
        try:
            await reserve(spending, programme, owner)
        except NoUsesLeftError:
            return "none left"
        return "kept"

    assert Counter(await asyncio.gather(*map(race, people))) == {"kept": 2, "none left": RACERS - 2}
    assert Counter(await asyncio.gather(*(race(ANNA) for _ in range(4))))["kept"] == 0


async def test_a_reservation_becomes_its_receipts_use_or_ends_when_purchases_were_read(
    spending: Spending,
) -> None:
    await spending.enrol(ANNA)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    session = await reserve(spending, programme)
    assert await reserve(spending, programme, session_id=session) == session
    with pytest.raises(NoUsesLeftError):
        await reserve(spending, programme)
    assert (await checked(spending, programme, ANNA)).spent == ["tenth"]

    now = await spending.now()
    late = using(1)  # an offline till gave it without asking: what was promised comes first
    changes = await settle(spending, late, using(2, session_id=session), read_to=now)
    assert {change.after.use.session_id: change.outcome for change in changes} == {
        session: "used",
        None: "limit_exceeded",
    }
    await settle(spending, back(using(2), 20, 10_000), back(late, 21, 10_000))
    again = await reserve(spending, programme)
    after_its_end = now + timedelta(hours=1)
    changes = await settle(spending, using(3), read_to=after_its_end)
    assert [change.outcome for change in changes] == ["used"]
    assert [change.outcome for change in await settle(spending, using(4, session_id=again), read_to=after_its_end)] == [
        "limit_exceeded"
    ]


async def test_a_till_reserves_over_http_and_one_conversation_is_of_one_member(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    await spending.coalition(partner("grocer", "Grocer"))
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]), terms("far", stores=["grocer/s9"]))
    session = str(new_id())
    body: dict[str, Any] = {"member_id": str(ANNA), "session_id": session, "privilege_ids": ["tenth"]}
    quarter = timedelta(minutes=15)
    async with served(privilege_checks_router(spending.database, programme, quarter), DOMAIN_PROBLEMS) as till:

        async def post(**change: Any) -> httpx2.Response:
            headers = TILL | {"Idempotency-Key": new_id().hex}
            return await till.post("/v1/privileges:reserve", json=body | change, headers=headers)

        kept = await post()
        assert (kept.status_code, kept.json()["privilege_ids"]) == (201, ["tenth"])
        assert slug(await post(member_id=str(BERT))) == (409, "other-session")
        assert slug(await post(session_id=str(new_id()))) == (409, "no-uses-left")
        assert slug(await post(privilege_ids=["far"])) == (409, "not-entitled")
        asked = {"member_id": str(ANNA), "session_id": session, "lines": [{"line_id": 1, "amount_minor": 500}]}
        answer = (await till.post("/v1/privileges:check", json=asked, headers=TILL)).json()
        assert [(one["privilege_id"], one["uses_left"]) for one in answer["privileges"]] == [("tenth", 1)]
        asked.pop("session_id")
        answer = (await till.post("/v1/privileges:check", json=asked, headers=TILL)).json()
        assert answer["withheld"] == [{"privilege_id": "tenth", "reason": "no_uses_left"}]


async def test_a_card_that_becomes_known_a_merge_an_export_and_an_erasure(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    await settle(spending, using(1, owner=None))
    assert [change.outcome for change in await settle(spending, using(1))] == ["named"]
    assert [(use.member_id, use.version) for use in await told(spending)] in (
        [(None, 1), (ANNA, 2)],
        [(ANNA, 2), (None, 1)],  # under other keys, so in no order
    )
    async with served(member_data_router(spending.database, PROGRAMME)) as asking:
        [used] = await read_all(asking, ANNA)
    assert (used["kind"], used["privilege_id"], used["amount_minor"]) == ("used_privilege", "tenth", 100)
    await spending.members(merged_into(BERT, ANNA))
    assert (await checked(spending, programme, BERT)).spent == ["tenth"]
    await settle(spending, back(using(1), 10, 10_000))
    await reserve(spending, programme, BERT)
    await spending.members(erased(BERT))
    count = "select count(*) from redemption_privilege_reservations"
    assert await spending.do(lambda transaction: transaction.raw.fetchval(count)) == 0


async def test_the_consumer_reads_uses_returns_and_refusals_and_skips_the_rest(spending: Spending) -> None:
    await spending.enrol(ANNA)
    programme = await declared(spending, terms("tenth"))
    sale = {"type": b"loyalty.purchase.recorded.v1", "points_tender": b"0"}
    assert concerns_spending(sale | {"privileges": b"1"})
    assert not concerns_spending(sale)

    purchases = PurchaseHandler(spending.database, programme, BatchSize(200))
    sold = using(1)
    for _ in range(2):
        await purchases.handle(records(sold, back(sold, 9, 5_000)))
    assert await standing(spending) == [(50, False, None)]
    refused = RefusalData(
        receipt_id=sold.data.receipt_id,
        content_hash=sold.data.content_hash,
        partner_id="grocer",
        member_id=ANNA,
        reason="content_conflict",
        detail="another document bears this key",
    )
    event = ReceiptRefused(id=new_id(), source="test", subject="r", time=NOON, data=refused)
    points = PointsHandler(spending.database, programme)
    for _ in range(2):
        await points.handle(Batch((Record(event, POINTS.topic, 0, 0, None, event.to_bytes(), {}),), ()))
    assert await standing(spending) == [(100, True, None)]


def records(*events: PurchaseEvent) -> Batch[PurchaseEvent]:
    """A batch of the topic."""
    read = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    return Batch(tuple(read), ())


def back(sold: PurchaseRecorded, number: int, quantity_thousandths: int) -> ReturnRecorded:
    """So much of the receipt's line came back."""
    return return_of(sold, number, {1: quantity_thousandths})


async def totals(spending: Spending) -> int:
    statement = "select coalesce(sum(uses), 0)::int from redemption_privilege_totals"
    return await spending.do(lambda transaction: transaction.raw.fetchval(statement))


async def test_one_reservation_is_one_receipts_and_no_other_partners(spending: Spending) -> None:
    """A session's id on another receipt, or on another partner's, neither uses up nor hides what was promised."""
    await spending.coalition(partner("grocer", "Grocer"), partner("fuel", "Fuel"))
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    programme = await declared(spending, terms("tenth", limits=[ONE_IN_ALL]))
    session = await reserve(spending, programme)

    stranger = using(1, None, session_id=session, partner_id="fuel")
    await settle(spending, stranger)
    assert [use[2] for use in await standing(spending)] == ["limit_exceeded"]
    with pytest.raises(NoUsesLeftError):
        await reserve(spending, programme, BERT)

    first, second = using(2, session_id=session), using(3, session_id=session)
    await settle(spending, first, second)
    assert Counter(use[2] for use in await standing(spending)) == {"limit_exceeded": 2, None: 1}


async def test_a_reservation_of_one_member_is_not_anothers(spending: Spending) -> None:
    """A till that keeps a use with one card and sells with another one has kept nothing for it."""
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    await settle(spending, using(1, BERT))
    session = await reserve(spending, programme)
    await settle(spending, using(2, BERT, session_id=session))
    assert [use[2] for use in await standing(spending)] == [None, "limit_exceeded"]
    assert applied(await checked(spending, programme, ANNA)) == {}  # it is kept for Anna still
    await settle(spending, using(3, session_id=session))
    assert [use[2] for use in await standing(spending)] == [None, "limit_exceeded", None]
