"""Seals transfers into blocks, long after they were posted: nothing of it is in a posting's way.

A block covers a stretch of numbers and never changes, so no transfer may appear inside it later. Numbers are drawn in
order, but transactions commit in any: a stretch is sealed when its rows are older than ``AGE_SECONDS`` and every
transaction has ended that was under way when the end of the stretch was marked. The second does not depend on clocks.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

import structlog

from shared.database import Database, Transaction
from shared.database.errors import TransactionTimeoutError
from shared.ledger.chain import LEAVES_MAX, LOWEST_ID, Block, Part, sealed
from shared.ledger.sealed_parts import SAVE_PARTS

AGE_SECONDS = 60.0
BLOCKS_PER_PASS_MAX = 60  # then another worker may have its turn
IDS_MIN = 1_024  # of a block, however slow the server is
PARTS_SORT_MEMORY = "32MB"  # a block's rows are sorted without a file

# To the commit: a worker that ends lets it go. Who does not get it leaves the block to whoever has it.
_TAKE_TURN = "select pg_try_advisory_xact_lock(hashtextextended('ledger chain', 0))"

LAST_BLOCK = """
    select block_number, encoding, first_transfer_id, last_transfer_id, transfers, sealed_at, root, previous, hash
    from ledger_blocks
    order by block_number desc
    limit 1
"""

# The last transfer that is old enough, of so many numbers at most, and the first transaction that begins after this.
_MARK = """
    select max(transfer_id), pg_snapshot_xmax(pg_current_snapshot())::text
    from ledger_transfers
    where transfer_id > $1 and transfer_id <= $2 and posted_at <= clock_timestamp() - make_interval(secs => $3)
"""

# A sort a block; with time-outs as they are, since a block takes a fraction of a second.
_SORT_IN_MEMORY = f"set local work_mem = '{PARTS_SORT_MEMORY}'"
_HAVE_ENDED = """
    select pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8 as have_ended, clock_timestamp() as sealed_at
"""
_NEXT_TRANSFER = "select min(transfer_id) from ledger_transfers where transfer_id > $1 and transfer_id <= $2"
_SAVE_BLOCK = """
    insert into ledger_blocks
        (block_number, encoding, first_transfer_id, last_transfer_id, transfers, sealed_at, root, previous, hash)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_AHEAD_MAX = BLOCKS_PER_PASS_MAX * LEAVES_MAX
_HIGHEST_ID = 2**63 - 1

log = structlog.get_logger(__name__)


# Why there is no block: others have their turn or are still under way; or everything up to the mark is sealed.
NoBlock: TypeAlias = Literal["not_yet", "nothing_left"]


class Mark(NamedTuple):
    """The end of what may be sealed as soon as every transaction before ``horizon`` has ended."""

    transfer_id: int
    horizon: str


class Sealer:
    """A worker's passes of sealing. Nothing is lost with it: what is sealed shows in the blocks, a mark is made anew.

    Several workers may do it at once: each block is sealed by one of them, in one transaction, under a lock that nobody
    who posts ever takes. ``on_sealed`` is told of each block after its commit.
    """

    def __init__(
        self, database: Database, on_sealed: Callable[[Block], None], *, age_seconds: float = AGE_SECONDS
    ) -> None:
        self._database = database
        self._on_sealed = on_sealed
        self._age_seconds = age_seconds
        self._mark: Mark | None = None
        self._ids_max = LEAVES_MAX

    async def run(self) -> None:
        """One pass: everything that is settled, or as many blocks as a pass may have."""
        for _ in range(BLOCKS_PER_PASS_MAX):
            if self._mark is None:
                self._mark = await self._database.run(partial(find_mark, age_seconds=self._age_seconds))
            if self._mark is None:
                return
            block = await self._seal(self._mark)
            if block == "not_yet":
                return
            if block == "nothing_left":
                self._mark = None
                continue
            # On the log, and so beside the database: who can rewrite the chain cannot rewrite that.
            log.info("transfers sealed", head=block.head, transfers=block.transfers)
            self._on_sealed(block)

    async def _seal(self, mark: Mark) -> Block | NoBlock:
        """The next block. Where the server is so slow that a block takes too long, the next try is for half of it."""
        try:
            sealing = partial(seal_block, mark=mark, age_seconds=self._age_seconds, ids_max=self._ids_max)
            block = await self._database.run(sealing)
        except TransactionTimeoutError:
            self._ids_max = max(IDS_MIN, self._ids_max // 2)
            raise
        if isinstance(block, Block):  # where there was none, nothing is known of how long one takes
            self._ids_max = min(LEAVES_MAX, self._ids_max * 2)
        return block


async def find_mark(transaction: Transaction, age_seconds: float) -> Mark | None:
    """The end of what is old enough and not sealed yet; None where there is nothing."""
    after = _end_of(await find_last_block(transaction))
    for end in (after + _AHEAD_MAX, _HIGHEST_ID):  # the second where nobody drew so many numbers, or nothing is left
        row = await transaction.raw.fetchrow(_MARK, after, end, age_seconds)
        if row is not None and row[0] is not None:
            return Mark(*row)
    return None


async def seal_block(
    transaction: Transaction, mark: Mark, age_seconds: float, ids_max: int = LEAVES_MAX
) -> Block | NoBlock:
    """Seal the next block up to the mark, if it is our turn and time for it. It is full with ``ids_max`` numbers.

    A block that would not be full waits until the one before it is ``age_seconds`` old: there are not many small ones.

    The block and its parts are saved in the caller's transaction, which holds the chain's lock to its end.
    """
    if not await transaction.raw.fetchval(_TAKE_TURN):
        return "not_yet"
    last = await find_last_block(transaction)
    after = _end_of(last)
    if after >= mark.transfer_id:
        return "nothing_left"
    settled = await transaction.raw.fetchrow(_HAVE_ENDED, mark.horizon)
    if settled is None or not settled["have_ended"]:
        return "not_yet"
    is_full = mark.transfer_id - after >= ids_max
    if last is not None and not is_full and (settled["sealed_at"] - last.sealed_at).total_seconds() < age_seconds:
        return "not_yet"
    await transaction.raw.execute(_SORT_IN_MEMORY)
    end = min(after + ids_max, mark.transfer_id)
    parts = await _save_parts(transaction, last, end)
    if not parts:  # numbers that nobody drew: the block goes as far as it may from the next transfer on
        end = min(
            await transaction.raw.fetchval(_NEXT_TRANSFER, after, mark.transfer_id) + ids_max - 1, mark.transfer_id
        )
        parts = await _save_parts(transaction, last, end)
    block = sealed(parts, end, settled["sealed_at"], last)
    await transaction.raw.execute(_SAVE_BLOCK, *block)
    return block


async def find_last_block(transaction: Transaction) -> Block | None:
    """The chain's head; None before the first block."""
    row = await transaction.raw.fetchrow(LAST_BLOCK)
    return None if row is None else Block(*row)


def _end_of(last: Block | None) -> int:
    """Numbers begin with 1. What is below belongs to the first block, and nobody posts it."""
    return 0 if last is None else last.last_transfer_id


async def _save_parts(transaction: Transaction, last: Block | None, end: int) -> list[Part]:
    """Save the parts of the next block, which ends here; in the chain's order."""
    begin, number = (LOWEST_ID, 1) if last is None else (last.last_transfer_id + 1, last.block_number + 1)
    rows = await transaction.raw.fetch(SAVE_PARTS, begin, end, [begin], [end], number)
    return sorted(Part(*row) for row in rows)
