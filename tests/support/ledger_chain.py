"""The chain on a real database, as tests make it and look at it."""

from shared.database import Database
from shared.ledger import Block, Sealer
from shared.ledger.chain import ROW_COLUMNS, SealedRow
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import connected


async def sealed(database: Database) -> list[Block]:
    """Seal everything that is settled, however young; the new blocks."""
    blocks: list[Block] = []
    await Sealer(database, blocks.append, age_seconds=0).run()
    return blocks


async def rows_of(fresh_database: FreshDatabase) -> list[SealedRow]:
    """Every transfer, in the order of numbers."""
    async with connected(fresh_database) as admin:
        rows = await admin.fetch(f"select {', '.join(ROW_COLUMNS)} from ledger_transfers order by transfer_id")
    return [SealedRow(*row) for row in rows]
