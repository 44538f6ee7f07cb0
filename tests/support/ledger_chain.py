"""The chain on a real database, as tests make it and look at it."""

from shared.database import Database
from shared.ledger import Block, Sealer
from shared.ledger.chain import ROW_COLUMNS, SealedRow
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import connected
from tests.support.until import until

_IS_ALL_SEALED = """
    select not exists (
        select from ledger_transfers
        where transfer_id > coalesce((select max(last_transfer_id) from ledger_blocks), 0)
    )
"""


async def sealed(database: Database) -> list[Block]:
    """Seal everything, however young; the new blocks.

    A block waits for every transaction of the server that was under way, those of other tests' databases too.
    """
    blocks: list[Block] = []
    sealer = Sealer(database, blocks.append, age_seconds=0)

    async def is_all_sealed() -> bool:
        await sealer.run()
        async with database.transaction() as transaction:
            return bool(await transaction.raw.fetchval(_IS_ALL_SEALED))

    await until(is_all_sealed)
    return blocks


async def rows_of(fresh_database: FreshDatabase) -> list[SealedRow]:
    """Every transfer, in the order of numbers."""
    async with connected(fresh_database) as admin:
        rows = await admin.fetch(f"select {', '.join(ROW_COLUMNS)} from ledger_transfers order by transfer_id")
    return [SealedRow(*row) for row in rows]
