"""Sealing: long after the postings, each transfer once, and nothing lands inside a block later."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from shared.database import Database
from shared.database.errors import TransactionTimeoutError
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import Block, Earn, LotTerms, Sealer, post, sealing
from shared.ledger.chain import LEAVES_MAX
from shared.ledger.sealing import find_mark, seal_block
from tests.support.databases import FreshDatabase
from tests.support.ledger_chain import sealed
from tests.support.ledger_database import connected, posted, verified
from tests.support.until import until

GROCER = LotTerms("grocer", date(2026, 3, 1), date(2127, 3, 1))
OWNER, OTHER = UUID(int=1), UUID(int=2)
Opened = Callable[[str], Database]


@pytest.fixture
def accrual(database_of: Opened) -> Database:
    return database_of("accrual")


async def test_nothing_is_sealed_before_its_time(accrual: Database) -> None:
    await posted(accrual, Earn(OWNER, "points", b"r", 1, GROCER))
    async with accrual.transaction() as transaction:
        assert await find_mark(transaction, age_seconds=60) is None
        assert await find_mark(transaction, age_seconds=0) is not None


async def test_what_is_still_under_way_is_waited_for_and_never_lands_inside_a_block(
    accrual: Database, database_of: Opened
) -> None:
    """A transfer with a lower number commits later, whatever the clocks say."""
    async with database_of("redemption").transaction() as slow:
        await post(slow, [Earn(OWNER, "points", b"slow", 1, GROCER)])
        await posted(accrual, Earn(OTHER, "points", b"fast", 1, GROCER))
        mark = await accrual.run(lambda transaction: find_mark(transaction, 0))
        assert mark is not None
        assert await accrual.run(lambda transaction: seal_block(transaction, mark, 0)) == "not_yet"

    async def block_at_last() -> Block | None:
        block = await accrual.run(lambda transaction: seal_block(transaction, mark, 0))
        assert block != "nothing_left"
        return None if block == "not_yet" else block

    block = await until(block_at_last)  # transactions of other tests' databases are waited for, too
    assert block is not None
    assert (block.transfers, block.last_transfer_id) == (2, mark.transfer_id)
    assert await accrual.run(lambda transaction: seal_block(transaction, mark, 0)) == "nothing_left"


async def test_two_workers_seal_each_transfer_once(database_of: Opened, fresh_database: FreshDatabase) -> None:
    workers = [database_of("accrual"), database_of("accrual")]
    for number in range(5):
        await posted(workers[0], *(Earn(new_id(), "points", b"r", 1, GROCER) for _ in range(number + 1)))
        await asyncio.gather(*(sealed(worker) for worker in workers * 2))
    chain = (await verified(fresh_database)).chain
    assert (chain.transfers, chain.waiting, chain.findings) == (15, 0, ())


class _KilledError(Exception):
    pass


async def test_a_worker_that_ends_before_its_commit_leaves_nothing(accrual: Database, database_of: Opened) -> None:
    await posted(accrual, Earn(OWNER, "points", b"r", 1, GROCER))
    mark = await accrual.run(lambda transaction: find_mark(transaction, 0))
    assert mark is not None
    with suppress(_KilledError):
        async with accrual.transaction() as transaction:
            await seal_block(transaction, mark, 0)
            assert await database_of("accrual").run(lambda other: seal_block(other, mark, 0)) == "not_yet"
            raise _KilledError
    assert [block.transfers for block in await sealed(database_of("accrual"))] == [1]


async def test_numbers_that_nobody_drew_make_no_block(accrual: Database, fresh_database: FreshDatabase) -> None:
    await posted(accrual, Earn(OWNER, "points", b"r", 1, GROCER))
    await sealed(accrual)
    async with connected(fresh_database) as admin:
        sequence = "pg_get_serial_sequence('ledger_transfers', 'transfer_id')"
        await admin.execute(f"select setval({sequence}, {100 * LEAVES_MAX * 60})")
    await posted(accrual, *(Earn(OWNER, "points", b"r", 1, GROCER) for _ in range(3)))
    assert [block.transfers for block in await sealed(accrual)] == [3]
    assert (await verified(fresh_database)).chain.findings == ()


async def test_a_block_that_is_not_full_waits_for_more(accrual: Database) -> None:
    await posted(accrual, Earn(OWNER, "points", b"r", 1, GROCER))
    await sealed(accrual)
    await posted(accrual, Earn(OWNER, "points", b"r", 1, GROCER))
    mark = await accrual.run(lambda transaction: find_mark(transaction, 0))
    assert mark is not None
    assert await accrual.run(lambda transaction: seal_block(transaction, mark, 3_600)) == "not_yet"


async def test_where_a_block_takes_too_long_the_next_try_is_for_half_of_it(
    accrual: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await posted(accrual, *(Earn(new_id(), "points", b"r", 1, GROCER) for _ in range(10)))
    blocks: list[Block] = []
    sealer = Sealer(accrual, blocks.append, age_seconds=0)
    monkeypatch.setattr(sealing, "IDS_MIN", 4)
    sealer._ids_max = 8

    async def too_long(*_: object, **__: object) -> None:
        raise TransactionTimeoutError

    with monkeypatch.context() as slow:
        slow.setattr(sealing, "seal_block", too_long)
        for _ in range(3):
            with pytest.raises(TransactionTimeoutError):
                await sealer.run()

    async def is_all_sealed() -> bool:
        await sealer.run()
        return sum(block.transfers for block in blocks) == 10

    await until(is_all_sealed)
    assert [block.transfers for block in blocks] == [4, 6]  # and then for twice as much again


@pytest.mark.parametrize("service", ["accrual", "redemption"])
async def test_no_service_rewrites_the_chain(fresh_database: FreshDatabase, service: str) -> None:
    async with connected(fresh_database, role_name(service)) as connection:
        for table in ("ledger_blocks", "ledger_block_parts"):
            for statement in (f"delete from {table}", f"update {table} set transfers = 1", f"truncate {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
