"""Identifier keys that are retired: what was hashed with one is let go, and nothing brings it back.

The registry says that a key is retired, and whoever projects identifiers hears of it. From then on a link under it is
passed over, in whatever order or how often it is heard, and the hashes that are there go a page at a time.
"""

from functools import partial

from shared.database.engine import Database, Transaction

SWEEP_SECONDS = 600.0
PAGE_ROWS = 5_000

RETIRED_KEYS_DDL = (
    """
    create table retired_identifier_keys (
        key_version integer primary key constraint retired_identifier_keys_version_counts check (key_version >= 1),
        retired_at timestamptz not null
    )
    """,
)

_RETIRE = """
    insert into retired_identifier_keys (key_version, retired_at) values ($1, $2)
    on conflict (key_version) do nothing
    returning key_version
"""
_LOAD = "select key_version from retired_identifier_keys"

# A hash begins with the version of its key and a full stop, after which comes the slash.
_LET_GO = """
    delete from {table} where identifier_hash in (
        select identifier_hash from {table}
        where identifier_hash collate "C" >= $1 and identifier_hash collate "C" < $2
        limit $3
    )
"""


async def retire(transaction: Transaction, key_version: int) -> bool:
    """Keep that a key is retired, for ever; whether that is news."""
    return await transaction.raw.fetchval(_RETIRE, key_version, transaction.now) is not None


async def load(transaction: Transaction) -> frozenset[int]:
    """The versions of all keys that were retired."""
    return frozenset(row["key_version"] for row in await transaction.raw.fetch(_LOAD))


class RetiredHashes:
    """The hashes of retired keys in one of a service's own tables."""

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        self._statement = _LET_GO.format(table=table)

    async def let_go(self) -> None:
        """Delete them, each page in its own transaction. May be cut off anywhere; several may do it at once."""
        async with self._database.transaction() as transaction:
            versions = await load(transaction)
        for version in sorted(versions):
            while await self._database.run(partial(self._let_go_page, version=version)):
                pass

    async def _let_go_page(self, transaction: Transaction, version: int) -> bool:
        status: str = await transaction.raw.execute(self._statement, f"{version}.", f"{version}/", PAGE_ROWS)
        return int(status.rpartition(" ")[2]) == PAGE_ROWS
