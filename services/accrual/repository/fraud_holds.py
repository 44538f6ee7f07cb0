"""What fraud asked of awards: one row a receipt, the higher version wins."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from shared.database import Transaction

_SAVE = """
    insert into fraud_holds (natural_key, member_id, version, action, rule_code, ends_at)
    select * from unnest($1::bytea[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[])
        as new (natural_key, member_id, version, action, rule_code, ends_at)
    order by natural_key
    on conflict (natural_key) do update
        set version = excluded.version, action = excluded.action, rule_code = excluded.rule_code,
            ends_at = excluded.ends_at
        where fraud_holds.version < excluded.version
    returning natural_key
"""

_FIND = """
    select natural_key, member_id, version, action, rule_code, ends_at from fraud_holds
    where natural_key = any($1::bytea[]) and action = 'hold'
"""

_DUE = """
    select natural_key, member_id, version, action, rule_code, ends_at from fraud_holds
    where action = 'hold' and ends_at <= $1 order by ends_at limit $2
"""

_END = "update fraud_holds set action = 'release', ends_at = null where natural_key = any($1::bytea[])"


# Fraud's own decisions begin at 1. Of a claimed receipt it is waited for its word (a hold), and no objection ends that.
WAITING_VERSION = -1
CLEARED_VERSION = 0


@dataclass(frozen=True, slots=True)
class FraudHold:
    """One decision of fraud's on one receipt. A hold ends by itself at ``ends_at``."""

    natural_key: bytes
    member_id: UUID
    version: int
    action: Literal["hold", "release"]
    rule_code: str
    ends_at: datetime | None


async def save(transaction: Transaction, holds: Sequence[FraudHold]) -> set[bytes]:
    """Keep decisions on distinct receipts; the keys of those that were news (a higher version) come back."""
    rows = await transaction.raw.fetch(
        _SAVE,
        [hold.natural_key for hold in holds],
        [hold.member_id for hold in holds],
        [hold.version for hold in holds],
        [hold.action for hold in holds],
        [hold.rule_code for hold in holds],
        [hold.ends_at for hold in holds],
    )
    return {row["natural_key"] for row in rows}


async def find_open(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, FraudHold]:
    """The holds in force on these receipts. The caller has their claims, so that none can appear meanwhile."""
    return {hold.natural_key: hold for hold in map(_hold, await transaction.raw.fetch(_FIND, list(keys)))}


async def find_due(transaction: Transaction, now: datetime, rows_max: int) -> list[FraudHold]:
    """Holds whose end has come, the oldest first."""
    return [_hold(row) for row in await transaction.raw.fetch(_DUE, now, rows_max)]


async def end(transaction: Transaction, keys: Collection[bytes]) -> None:
    """Turn holds into releases under their own version: a later decision still wins."""
    await transaction.raw.execute(_END, list(keys))


def _hold(row: asyncpg.Record) -> FraudHold:
    return FraudHold(
        row["natural_key"], row["member_id"], row["version"], row["action"], row["rule_code"], row["ends_at"]
    )
