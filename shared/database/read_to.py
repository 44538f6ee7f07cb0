"""How far a service has read each topic: what a projection's age, and a hold's expiry, are judged by.

Kafka's committed offset says where reading goes on; this says up to which business time the facts of a topic have been
taken in. It is written in the transaction of a batch's effects, and about once a second while nothing comes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, cast

from shared.database.engine import Transaction

READ_TO_DDL: tuple[str, ...] = (
    """
    create table read_to (
        topic text not null,
        partition integer not null,
        next_offset bigint not null check (next_offset >= 0),
        at timestamptz,
        primary key (topic, partition)
    ) with (fillfactor = 50)
    """,
)

# Sorted, so that two consumers of one service never wait for each other in a circle. Neither value moves back: a batch
# that comes again, or late after a rebalance, knows less than what is there.
_SAVE = """
    insert into read_to (topic, partition, next_offset, at)
    select topic, partition, next_offset, at
    from unnest($1::text[], $2::integer[], $3::bigint[], $4::timestamptz[])
        as incoming (topic, partition, next_offset, at)
    order by topic, partition
    on conflict (topic, partition) do update
        set next_offset = greatest(read_to.next_offset, excluded.next_offset),
            at = greatest(read_to.at, excluded.at)
        where excluded.next_offset > read_to.next_offset
            or excluded.at > read_to.at
            or (read_to.at is null and excluded.at is not null)
"""

# Least of all partitions; none while one of them has never been read to its end, or by nobody at all.
_LOAD = """
    select case when count(*) = count(at) and count(*) >= $2 then min(at) end as at
    from read_to
    where topic = $1
"""


class Position(Protocol):
    """What is saved of a position; ``shared.kafka.ReadPosition`` is one."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def next_offset(self) -> int: ...
    @property
    def at(self) -> datetime | None: ...


async def save(transaction: Transaction, positions: Sequence[Position]) -> None:
    """Note how far partitions have been read. Idempotent; a position older than the known one changes nothing."""
    if positions:
        await transaction.raw.execute(
            _SAVE,
            [position.topic for position in positions],
            [position.partition for position in positions],
            [position.next_offset for position in positions],
            [position.at for position in positions],
        )


async def load(transaction: Transaction, topic: str, partitions: int) -> datetime | None:
    """The business time up to which all ``partitions`` of ``topic`` have been read, or None where one has not.

    None also before the first record or second: nothing is known of a partition that nobody has read yet.
    """
    return cast("datetime | None", await transaction.raw.fetchval(_LOAD, topic, partitions))
