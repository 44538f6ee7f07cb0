"""How long what is kept is kept: a table says it for each class of data, and a job keeps to it, page by page.

A service declares its classes in code: what a class holds, what it is kept for, and the statement that lets a page of
it go. How many days is data: the declared number is where a new class begins, and then the table has the last word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import structlog
from prometheus_client import Counter

from shared.database import Database, Transaction

RETENTION_DDL: tuple[str, ...] = (
    """
    create table retention (
        data_class text primary key,
        purpose text not null,
        keep_days integer not null,
        keep_days_min integer not null,
        action text not null constraint retention_action_known check (action in ('delete', 'blank')),
        changed_by text,
        changed_at timestamptz,
        constraint retention_keep_days_enough check (keep_days >= keep_days_min and keep_days_min > 0)
    )
    """,
)
# Who changed it, from what to what, and why. Append-only by privilege (shared/database/roles.py).
RETENTION_CHANGES_DDL: tuple[str, ...] = (
    """
    create table retention_changes (
        change_id bigint generated always as identity primary key,
        data_class text not null,
        at timestamptz not null,
        author text not null,
        before_days integer not null,
        after_days integer not null,
        why text
    )
    """,
    "create index retention_changes_of_class on retention_changes (data_class, change_id)",
)
CHANGES_SHOWN_MAX = 20  # of each class, the newest
ROWS_PER_PAGE_MAX = 1_000  # a page is one short transaction: nobody waits for it

LET_GO = Counter("tessera_retention_rows_total", "Rows that were let go because their time was over.", ["data_class"])

log = structlog.get_logger(__name__)

Action: TypeAlias = Literal["delete", "blank"]

_DECLARE = """
    insert into retention (data_class, purpose, keep_days, keep_days_min, action) values ($1, $2, $3, $4, $5)
    on conflict (data_class) do update
        set purpose = excluded.purpose, action = excluded.action, keep_days_min = excluded.keep_days_min,
            keep_days = greatest(retention.keep_days, excluded.keep_days_min)
        where (retention.purpose, retention.action, retention.keep_days_min)
            is distinct from (excluded.purpose, excluded.action, excluded.keep_days_min)
"""
_KEEP_DAYS = "select keep_days from retention where data_class = $1"
_LIST = """
    select data_class, purpose, keep_days, keep_days_min, action, changed_by, changed_at
    from retention order by data_class
"""
_LIST_CHANGES = """
    select class.data_class, change.at, change.author, change.before_days, change.after_days, change.why
    from retention as class cross join lateral (
        select * from retention_changes where data_class = class.data_class order by change_id desc limit $1
    ) as change
    order by class.data_class, change.change_id desc
"""
_LOCK = "select keep_days from retention where data_class = $1 for no key update"
_LOG = """
    insert into retention_changes (data_class, at, author, before_days, after_days, why) values ($1, $2, $3, $4, $5, $6)
"""
_CHANGE = """
    update retention set keep_days = $2, changed_by = $3, changed_at = $4
    where data_class = $1 and keep_days_min <= $2
    returning data_class, purpose, keep_days, keep_days_min, action, changed_by, changed_at
"""


@dataclass(frozen=True, slots=True)
class DataClass:
    """One kind of data of a service.

    ``keep_days_min`` is what exactness needs: a row that makes a replay harmless outlives its topic's retention.
    ``statement`` lets go up to $2 rows that are older than $1, a moment of business time. It skips rows that others
    hold (``for update skip locked``) and may be repeated; rows it has let go it does not find again.
    """

    name: str
    purpose: str
    keep_days: int
    keep_days_min: int
    action: Action
    statement: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    data_class: str
    purpose: str
    keep_days: int
    keep_days_min: int
    action: Action
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """Who kept a class for another number of days, and why."""

    at: datetime
    author: str
    before_days: int
    after_days: int
    why: str | None


# Letters whose fate is settled: every service has them. Those that are pending stay however old they are.
SETTLED_DEAD_LETTERS = DataClass(
    name="settled_dead_letters",
    purpose="to see what became of a record that could not be handled",
    keep_days=90,
    keep_days_min=1,
    action="delete",
    statement="""
        delete from dead_letters where (topic, topic_partition, topic_offset) in (
            select topic, topic_partition, topic_offset from dead_letters where settled_at < $1
            order by settled_at limit $2 for update skip locked
        )
    """,
)


class Retention:
    """Keeps to the table. Any number of workers may run it at once."""

    def __init__(self, database: Database, classes: Sequence[DataClass]) -> None:
        self._database = database
        self._classes = tuple(classes)

    async def declare(self) -> None:
        """Put classes that are new into the table; how long the others are kept stays as the table says."""

        async def work(transaction: Transaction) -> None:
            for one in sorted(self._classes, key=lambda one: one.name):
                await transaction.raw.execute(
                    _DECLARE, one.name, one.purpose, one.keep_days, one.keep_days_min, one.action
                )

        await self._database.run(work)

    async def run(self) -> None:
        """Let go everything whose time is over."""
        for one in self._classes:
            gone = 0
            while page := await self._let_go_page(one):
                gone += page
                LET_GO.labels(one.name).inc(page)
                if page < ROWS_PER_PAGE_MAX:
                    break
            if gone:
                log.info("data let go", data_class=one.name, action=one.action, rows=gone)

    async def _let_go_page(self, one: DataClass) -> int:
        async def work(transaction: Transaction) -> int:
            keep_days = await transaction.raw.fetchval(_KEEP_DAYS, one.name)
            if keep_days is None:  # taken out of the table by hand: kept for ever
                return 0
            too_old = transaction.now - timedelta(days=keep_days)
            status = await transaction.raw.execute(one.statement, too_old, ROWS_PER_PAGE_MAX)
            return int(status.rpartition(" ")[2])

        return await self._database.run(work)


async def load_rules(transaction: Transaction) -> list[Rule]:
    """The whole table, in the order of the classes' names."""
    return [Rule(**dict(row)) for row in await transaction.raw.fetch(_LIST)]


async def load_changes(transaction: Transaction) -> dict[str, list[Change]]:
    """Of each class the newest ``CHANGES_SHOWN_MAX`` changes, newest first; a class that nobody changed is absent."""
    found: dict[str, list[Change]] = {}
    for row in await transaction.raw.fetch(_LIST_CHANGES, CHANGES_SHOWN_MAX):
        data_class, *change = row.values()
        found.setdefault(data_class, []).append(Change(*change))
    return found


async def change_rule(
    transaction: Transaction, data_class: str, keep_days: int, changed_by: str, why: str | None = None
) -> Rule | None:
    """Keep a class for another number of days, and record who did it, from what and why; the same number again is no
    change. None where there is no such class, or it needs more days than these.
    """
    before_days = await transaction.raw.fetchval(_LOCK, data_class)
    row = await transaction.raw.fetchrow(_CHANGE, data_class, keep_days, changed_by, transaction.now)
    if row is None:
        return None
    if before_days != keep_days:
        await transaction.raw.execute(_LOG, data_class, transaction.now, changed_by, before_days, keep_days, why)
    return Rule(**dict(row))
