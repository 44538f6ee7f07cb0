"""An erased member: nothing that redemption stores leads to a person, and nothing that comes late brings it back."""

import asyncio

import pytest

from services.redemption.consumer import MemberHandler
from services.redemption.domain.errors import UnknownMemberError
from services.redemption.repository import waiting_tenders
from services.redemption.use_cases.hold_points import Held
from services.redemption.use_cases.project import project_members
from shared.point_types import ONE_TYPE
from tests.support.databases import FreshDatabase
from tests.support.dead_letters import unhandled
from tests.support.member_events import changed, erased, status_changed
from tests.support.receipts import card, member, merged_into
from tests.support.redemption import (
    Admin,
    Spending,
    enrolled,
    held_open,
    linked,
    paid_with_points,
    patiently,
    tender_of,
    until_blocked,
)
from tests.support.traces import spellings, traces_in_tables

ANNA, BERT = member(1), member(2)
CARD, OLD_CARD = card(1), card(11)
HASHES = spellings([CARD, OLD_CARD])


async def die(spending: Spending, offset: int, key: str) -> None:
    """A record of purchases that nobody could handle; its bytes quote the card."""
    letter = unhandled(offset, key, quoting=CARD)
    await MemberHandler(spending.database, ONE_TYPE).dead_lettered(letter)


async def fates(admin: Admin) -> list[str]:
    return [row["fate"] for row in await admin.fetch("select fate from redemption.dead_letters order by topic_offset")]


async def test_no_table_leads_to_an_erased_member(
    spending: Spending, own_database: FreshDatabase, admin: Admin
) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.members(linked(ANNA, CARD), linked(ANNA, OLD_CARD, is_blocked=True))
    held = await spending.hold(None, 400, identifier_hash=CARD)
    assert isinstance(held, Held)
    await die(spending, 1, str(ANNA))
    await die(spending, 2, OLD_CARD)

    await spending.members(erased(ANNA, CARD, OLD_CARD))

    assert await traces_in_tables(own_database.admin_url, HASHES) == []
    assert await fates(admin) == ["erased", "erased"]
    with pytest.raises(UnknownMemberError):
        await spending.hold(None, 10, identifier_hash=CARD)
    await spending.capture(held.redemption.redemption_id)  # the till was promised it
    assert (await spending.balance(ANNA)).available == 600


async def test_a_tender_that_waited_for_the_card_takes_its_points(
    spending: Spending, own_database: FreshDatabase
) -> None:
    tender = tender_of(paid_with_points(1, 400, None, identifier_hash=CARD))
    await spending.settle(tender)
    await spending.enrol(ANNA, 1000)
    await spending.members(linked(ANNA, CARD))  # the sweep has not seen it yet

    await spending.members(erased(ANNA, CARD))

    assert await traces_in_tables(own_database.admin_url, HASHES) == []

    (ready,) = await spending.do(lambda transaction: waiting_tenders.load_ready(transaction, 10))
    await spending.settle(ready)
    assert (await spending.balance(ANNA)).available == 600
    assert await spending.waiting() == 0


async def test_nothing_that_comes_late_brings_anything_back(
    spending: Spending, own_database: FreshDatabase, admin: Admin
) -> None:
    await spending.members(erased(ANNA, CARD, version=5))

    await spending.members(enrolled(ANNA), linked(ANNA, CARD), linked(ANNA, OLD_CARD, version=99))
    await spending.members(changed(ANNA, version=7), status_changed(ANNA, "active", version=8))
    await die(spending, 1, str(ANNA))

    assert await traces_in_tables(own_database.admin_url, HASHES) == []
    assert await fates(admin) == ["erased"]
    with pytest.raises(UnknownMemberError):
        await spending.hold(ANNA, 10)


async def test_the_same_erasure_again_leaves_whoever_has_the_card_now(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.enrol(BERT, 1000)
    await spending.members(linked(ANNA, CARD), erased(ANNA, CARD))
    await spending.members(linked(BERT, CARD))  # given out again: a new identifier, from its first version

    await spending.members(erased(ANNA, CARD))

    held = await spending.hold(None, 10, identifier_hash=CARD)
    assert isinstance(held, Held)
    assert held.redemption.member_id == BERT


@pytest.mark.parametrize("is_erasure_first", [True, False])
async def test_an_erasure_and_a_late_link_meet(
    spending: Spending, own_database: FreshDatabase, admin: Admin, is_erasure_first: bool
) -> None:
    await spending.enrol(ANNA)
    erasing, linking = [erased(ANNA, CARD)], [linked(ANNA, CARD, version=2)]
    first, second = (erasing, linking) if is_erasure_first else (linking, erasing)

    async with held_open(spending.database) as ahead:
        await project_members(ahead, first)
        behind = asyncio.create_task(
            patiently(spending.database, lambda transaction: project_members(transaction, second))
        )
        await until_blocked(admin)
    await behind

    assert await traces_in_tables(own_database.admin_url, HASHES) == []


async def test_what_comes_late_of_who_was_merged_into_the_erased_brings_nothing_back(
    spending: Spending, own_database: FreshDatabase
) -> None:
    old_link = linked(BERT, OLD_CARD)
    await spending.members(enrolled(ANNA), enrolled(BERT), old_link)
    await spending.members(merged_into(ANNA, BERT), linked(ANNA, OLD_CARD, version=2))
    await die(spending, 1, str(BERT))
    await spending.members(*(erased(each, CARD, OLD_CARD) for each in (ANNA, BERT)))

    await spending.members(old_link)
    await die(spending, 2, str(BERT))

    assert await traces_in_tables(own_database.admin_url, HASHES) == []


async def test_an_erasure_that_comes_late_leaves_the_tender_of_whoever_has_the_card_now(
    spending: Spending, admin: Admin
) -> None:
    await spending.settle(tender_of(paid_with_points(1, 400, None, identifier_hash=CARD)))
    await spending.enrol(BERT, 1000)
    await spending.members(linked(BERT, CARD, version=3))  # told under Bert, before what is told under Anna

    await spending.members(enrolled(ANNA), erased(ANNA, CARD))

    assert await admin.fetch("select from redemption.redemption_waiting_tenders where member_id is not null") == []
