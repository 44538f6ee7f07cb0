"""Backtests: who runs which, how far each has come, and their reports.

A worker comes to run the one that has waited longest, or one whose runner is gone: its lease (in the database's real
time) has run out. Whoever runs it writes under its epoch, so that a runner that was given up, or a cancelled one,
changes nothing any more.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.accrual.domain.backtests.requests import (
    Backtest,
    BacktestRequest,
    BacktestState,
    ClaimedBacktest,
    Failure,
)
from shared.database import Transaction

LEASE_SECONDS = 15.0
ATTEMPTS_MAX = 3

_QUEUE = "select pg_advisory_xact_lock(hashtext('queue of backtests'))"
_COUNT_OPEN = "select count(*) from backtests where state in ('queued', 'running')"

_INSERT = """
    insert into backtests (
        backtest_id, state, request, rule_set, created_by, created_at, receipts_read, epoch, attempts
    )
    values ($1, 'queued', $2, $3, $4, $5, 0, 0, 0)
"""

_SELECT = """
    select backtest_id, state, request, created_by, created_at, started_at, ended_at, ended_by, receipts_read,
        receipts_expected, failure
    from backtests
"""
_FIND = f"{_SELECT} where backtest_id = $1"
_LOCK = f"{_FIND} for no key update"
_LIST = f"""
    {_SELECT}
    where ($1::timestamptz is null or (created_at, backtest_id) < ($1, $2))
    order by created_at desc, backtest_id desc
    limit $3
"""

_CANCEL = """
    update backtests set state = 'cancelled', ended_at = $2, ended_by = $3, epoch = epoch + 1, lease_until = null
    where backtest_id = $1
"""

# Whose runners died so often will not be run again.
_GIVE_UP = """
    update backtests set state = 'failed', failure = 'kept_failing', ended_at = $1, lease_until = null
    where backtest_id in (
        select backtest_id from backtests
        where state = 'running' and lease_until < clock_timestamp() and attempts >= $2
        for update skip locked
    )
"""
_CLAIM = """
    update backtests
    set state = 'running', epoch = epoch + 1, attempts = attempts + 1, receipts_read = 0,
        started_at = coalesce(started_at, $1), lease_until = clock_timestamp() + make_interval(secs => $2)
    where backtest_id = (
        select backtest_id from backtests
        where state = 'queued' or (state = 'running' and lease_until < clock_timestamp())
        order by created_at, backtest_id
        limit 1
        for update skip locked
    )
    returning backtest_id, epoch, request, rule_set
"""
_RELEASE = """
    update backtests set state = 'queued', lease_until = null, attempts = attempts - 1
    where backtest_id = $1 and epoch = $2 and state = 'running'
"""
_PROGRESS = """
    update backtests
    set receipts_read = $3, receipts_expected = $4, lease_until = clock_timestamp() + make_interval(secs => $5)
    where backtest_id = $1 and epoch = $2 and state = 'running'
    returning backtest_id
"""
_FINISH = """
    update backtests set state = 'done', report = $3, receipts_read = $4, ended_at = $5, lease_until = null
    where backtest_id = $1 and epoch = $2 and state = 'running'
    returning backtest_id
"""
_FAIL = """
    update backtests set state = 'failed', failure = $3, ended_at = $4, lease_until = null
    where backtest_id = $1 and epoch = $2 and state = 'running'
"""
_REPORT = "select state, report from backtests where backtest_id = $1"
_CLAIMED = "select backtest_id, epoch, request, rule_set from backtests where backtest_id = $1 and epoch = $2"


async def count_open(transaction: Transaction) -> int:
    """How many wait or run; others who ask for one wait meanwhile, to the commit."""
    await transaction.raw.execute(_QUEUE)
    return int(await transaction.raw.fetchval(_COUNT_OPEN))


async def insert(
    transaction: Transaction, backtest_id: UUID, request: BacktestRequest, rule_set: Mapping[str, Any], author: str
) -> None:
    """Let one wait for its turn."""
    document = orjson.dumps(rule_set).decode()
    await transaction.raw.execute(_INSERT, backtest_id, request.model_dump_json(), document, author, transaction.now)


async def find(transaction: Transaction, backtest_id: UUID) -> Backtest | None:
    """The backtest as it stands."""
    return _backtest(await transaction.raw.fetchrow(_FIND, backtest_id))


async def lock(transaction: Transaction, backtest_id: UUID) -> Backtest | None:
    """The same, locked to the commit."""
    return _backtest(await transaction.raw.fetchrow(_LOCK, backtest_id))


async def load_page(transaction: Transaction, after: tuple[datetime, UUID] | None, rows_max: int) -> list[Backtest]:
    """Backtests, the newest first."""
    rows = await transaction.raw.fetch(_LIST, *(after or (None, None)), rows_max)
    return [found for row in rows if (found := _backtest(row)) is not None]


async def cancel(transaction: Transaction, backtest_id: UUID, author: str) -> None:
    """End one whose row is locked. Whoever runs it finds its epoch gone."""
    await transaction.raw.execute(_CANCEL, backtest_id, transaction.now, author)


async def claim(transaction: Transaction) -> ClaimedBacktest | None:
    """Come to run the one that has waited longest, or whose runner is gone; None where nothing is to be run."""
    await transaction.raw.execute(_GIVE_UP, transaction.now, ATTEMPTS_MAX)
    return _claimed(await transaction.raw.fetchrow(_CLAIM, transaction.now, LEASE_SECONDS))


async def find_claimed(transaction: Transaction, backtest_id: UUID, epoch: int) -> ClaimedBacktest | None:
    """What a runner was told to run; None where it is another's by now."""
    return _claimed(await transaction.raw.fetchrow(_CLAIMED, backtest_id, epoch))


async def release(transaction: Transaction, backtest_id: UUID, epoch: int) -> None:
    """Let another run it, at once: this runner is stopped."""
    await transaction.raw.execute(_RELEASE, backtest_id, epoch)


async def save_progress(
    transaction: Transaction, backtest_id: UUID, epoch: int, receipts_read: int, receipts_expected: int
) -> bool:
    """Say how far it has come, and that it is being run. False: it was cancelled, or is another's by now."""
    saved = await transaction.raw.fetchval(
        _PROGRESS, backtest_id, epoch, receipts_read, receipts_expected, LEASE_SECONDS
    )
    return saved is not None


async def finish(transaction: Transaction, backtest_id: UUID, epoch: int, report: bytes, receipts_read: int) -> bool:
    """Keep its report. False: it was cancelled, or is another's by now."""
    saved = await transaction.raw.fetchval(_FINISH, backtest_id, epoch, report, receipts_read, transaction.now)
    return saved is not None


async def fail(transaction: Transaction, backtest_id: UUID, epoch: int, failure: Failure) -> None:
    """Say why it comes to nothing."""
    await transaction.raw.execute(_FAIL, backtest_id, epoch, failure, transaction.now)


async def find_report(transaction: Transaction, backtest_id: UUID) -> tuple[BacktestState, bytes | None] | None:
    """Where it stands, and its report where it is done."""
    row = await transaction.raw.fetchrow(_REPORT, backtest_id)
    return None if row is None else (row["state"], row["report"])


def _backtest(row: asyncpg.Record | None) -> Backtest | None:
    if row is None:
        return None
    return Backtest(**dict(row) | {"request": _request(row["request"])})


def _claimed(row: asyncpg.Record | None) -> ClaimedBacktest | None:
    if row is None:
        return None
    return ClaimedBacktest(row["backtest_id"], row["epoch"], _request(row["request"]), row["rule_set"])


def _request(said: Mapping[str, Any]) -> BacktestRequest:
    return BacktestRequest.model_validate(said)
