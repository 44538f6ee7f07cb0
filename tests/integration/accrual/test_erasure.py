"""An erased member: nothing that accrual stores leads to a person, and nothing that comes late brings it back."""

import importlib
from collections.abc import Callable

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from services.accrual.consumer import MemberHandler
from services.accrual.repository.stored_documents import compress
from services.accrual.use_cases.project_members import project_members
from shared.database import Database
from shared.events.envelope import Event
from shared.events.points import ReceiptRefused
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.databases import FreshDatabase
from tests.support.dead_letters import unhandled
from tests.support.interleaving import interleave
from tests.support.member_events import changed, erased, status_changed
from tests.support.receipts import card, enrolled, linked, member, merged_into, purchase, return_of
from tests.support.traces import spellings, traces_in_tables

ANNA, BERT = member(1), member(2)
CARD, OLD_CARD = card(1), card(11)
HASHES = spellings([CARD, OLD_CARD])


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), linked(ANNA, CARD), linked(ANNA, OLD_CARD), enrolled(BERT))
    return accrual


async def counted(accrual: Accrual, table: str) -> int:
    async with accrual.database.transaction() as transaction:
        return int(await transaction.raw.fetchval(f"select count(*) from {table}"))


async def die(accrual: Accrual, offset: int, key: str, event: Event | None = None, quoting: str = CARD) -> None:
    """A record of purchases that nobody could handle; its bytes quote a card."""
    letter = unhandled(offset, key, quoting=quoting, headers={"id": quoting.encode()}, event=event)
    await MemberHandler(accrual.database, PROGRAMME, accrual.rules).dead_lettered(letter)


async def fates(accrual: Accrual) -> dict[int, tuple[str, bytes | None]]:
    async with accrual.database.transaction() as transaction:
        rows = await transaction.raw.fetch("select topic_offset, fate, body from dead_letters")
    return {row["topic_offset"]: (row["fate"], row["body"]) for row in rows}


async def test_no_table_leads_to_an_erased_member(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    bought = purchase(1, 1000, owner=ANNA, identifier_hash=CARD)
    await accrual.award(bought)
    await accrual.award(purchase(1, 5000, owner=ANNA, identifier_hash=CARD, contents=1))  # a conflict is kept
    await accrual.award(return_of(bought, 2, {1: 400}))
    await accrual.award(purchase(3, 1000, owner=ANNA, identifier_hash=CARD, till_id="9"))  # waits for its till
    await accrual.award(purchase(4, 1000, identifier_hash=OLD_CARD, till_id="9"))
    await accrual.award(purchase(5, 1000, identifier_hash=card(3)))  # another one's
    await die(accrual, 1, str(ANNA))
    await die(accrual, 2, OLD_CARD)
    await die(accrual, 3, str(BERT), quoting=card(2))
    await accrual.drain()

    await accrual.members(erased(ANNA, CARD, OLD_CARD))
    await accrual.drain()

    assert await traces_in_tables(fresh_database.admin_url, HASHES) == []
    assert {offset: fate for offset, (fate, _) in (await fates(accrual)).items()} == {
        1: "erased",
        2: "erased",
        3: "pending",
    }
    assert (await accrual.balance(ANNA)).available == 6  # the ledger keeps its rows
    assert await traces_in_tables(fresh_database.admin_url, spellings([card(3)])) != []


async def test_a_receipt_that_still_comes_with_the_card_is_of_an_unknown_card(accrual: Accrual) -> None:
    await accrual.members(erased(ANNA, CARD))

    report = await accrual.award(purchase(1, 1000, identifier_hash=CARD), purchase(2, 1000, owner=ANNA))

    assert report.parked == {"unknown_identifier": 1}
    assert report.refused == {"member_erased": 1}


async def test_what_waited_is_decided_as_the_erased_members(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    await accrual.members(status_changed(ANNA, "suspended"))
    await accrual.award(purchase(1, 1000, identifier_hash=CARD))  # waits for the end of the suspension
    await accrual.drain()

    await accrual.members(erased(ANNA, CARD, OLD_CARD))
    (released,) = await accrual.released()
    report = await accrual.award(released)

    assert (released.data.member_id, released.data.identifier_hash) == (ANNA, None)
    assert report.refused == {"member_erased": 1}
    (refused,) = await accrual.drain()
    assert isinstance(refused, ReceiptRefused)
    assert await counted(accrual, "parked") == 0
    assert await traces_in_tables(fresh_database.admin_url, HASHES) == []


async def test_nothing_that_comes_late_brings_anything_back(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    await accrual.members(erased(ANNA, CARD, OLD_CARD, version=5))

    await accrual.members(enrolled(ANNA), linked(ANNA, CARD), linked(ANNA, OLD_CARD, version=99))
    await accrual.members(changed(ANNA, version=7), status_changed(ANNA, "active", version=8))
    await die(accrual, 1, str(ANNA))
    await die(accrual, 2, CARD, purchase(1, 1000, owner=ANNA, identifier_hash=CARD))

    assert await traces_in_tables(fresh_database.admin_url, HASHES) == []
    assert await fates(accrual) == {1: ("erased", None), 2: ("erased", None)}
    assert (await accrual.award(purchase(1, 1000, owner=ANNA))).refused == {"member_erased": 1}


async def test_the_same_erasure_again_leaves_whoever_has_the_card_now(accrual: Accrual) -> None:
    await accrual.members(erased(ANNA, CARD))
    await accrual.members(linked(BERT, CARD))  # given out again: a new identifier, from its first version
    await accrual.award(purchase(1, 1000, identifier_hash=CARD, till_id="9"))

    await accrual.members(erased(ANNA, CARD))

    report = await accrual.award(purchase(2, 1000, identifier_hash=CARD))
    assert report.awarded == 1
    assert (await accrual.balance(BERT)).available == 10
    async with accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval("select identifier_hash from parked") == CARD


async def test_an_erasure_that_comes_late_leaves_the_receipts_of_whoever_has_the_card_now(accrual: Accrual) -> None:
    await accrual.members(linked(BERT, CARD, version=3))  # told under Bert, before what is told under Anna
    await accrual.award(purchase(1, 1000, identifier_hash=CARD, till_id="9"))  # waits for its till

    await accrual.members(erased(ANNA, CARD, OLD_CARD))

    async with accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval("select identifier_hash from parked") == CARD
    assert (await accrual.award(purchase(2, 1000, identifier_hash=CARD))).awarded == 1


async def test_what_comes_late_of_who_was_merged_into_the_erased_brings_nothing_back(
    accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    old_link = linked(BERT, card(2))
    await accrual.members(old_link, merged_into(ANNA, BERT), linked(ANNA, card(2), version=2))
    await die(accrual, 1, str(BERT), quoting=card(2))
    await accrual.members(*(erased(each, CARD, OLD_CARD, card(2)) for each in (ANNA, BERT)))

    await accrual.members(old_link)
    await die(accrual, 2, str(BERT), quoting=card(2))

    assert await traces_in_tables(fresh_database.admin_url, spellings([CARD, OLD_CARD, card(2)])) == []
    assert (await accrual.award(purchase(1, 1000, owner=BERT))).refused == {"member_erased": 1}


@pytest.mark.parametrize("is_erasure_first", [True, False])
async def test_an_erasure_and_a_late_link_meet(
    accrual: Accrual, fresh_database: FreshDatabase, is_erasure_first: bool
) -> None:
    erasing, linking = [erased(ANNA, CARD, OLD_CARD)], [linked(ANNA, CARD, version=2)]
    first, second = (erasing, linking) if is_erasure_first else (linking, erasing)

    await interleave(
        accrual.database,
        lambda transaction: project_members(transaction, first),
        lambda transaction: project_members(transaction, second),
    )

    assert await traces_in_tables(fresh_database.admin_url, HASHES) == []


async def test_what_was_stored_with_a_hash_loses_it_by_migration(
    accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    bought = purchase(1, 1000, owner=ANNA, identifier_hash=CARD)
    await accrual.award(bought, purchase(2, 1000, owner=ANNA, identifier_hash=CARD, is_training=True))
    waiting = purchase(3, 1000, identifier_hash=card(3))
    await accrual.award(waiting)
    async with accrual.database.transaction() as transaction:
        stored = compress(bought.to_bytes())
        await transaction.raw.execute("update documents set event = $1", stored)
        await transaction.raw.execute("update refusals set event = $1", stored)
        await transaction.raw.execute("update parked set identifier_hash = null")
    await accrual.members(erased(ANNA, CARD, OLD_CARD))
    await accrual.drain()
    assert await traces_in_tables(fresh_database.admin_url, HASHES) != []

    migration = importlib.import_module("services.accrual.migrations.0006_erasure")
    engine = create_async_engine(fresh_database.admin_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.exec_driver_sql("set search_path to accrual")
        await connection.run_sync(migration.strip_documents)
    await engine.dispose()

    assert await traces_in_tables(fresh_database.admin_url, HASHES) == []
    async with accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval("select identifier_hash from parked") == card(3)
    assert (await accrual.award(return_of(bought, 9, {1: 1000}))).clawed_back == 1
