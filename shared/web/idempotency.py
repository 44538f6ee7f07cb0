"""``Idempotency-Key``: a POST that is sent twice has one effect and one answer.

The record of an answer is written in the transaction of its effect: either both are there, or neither. What becomes
of a request is one of these:

- **done**: ``work`` returned an ``Answer``; it is stored with everything that ``work`` wrote. An answer may be a
  refusal too (``Answer.of_problem``), where what was written must stay: an event that tells of the decline.
- **under way**: ``work`` returned ``UnderWay``; what it wrote is kept, and the key is not used up: the conversation
  goes on under it, as where a code is asked for, and only its end is stored.
- **refused**: ``work`` raised a problem or an error of the domain. The whole transaction is rolled back, so nothing
  of what it wrote survives, and the refusal is stored in a second transaction, which first looks whether another
  request with this key was decided in between. No savepoint is needed for that, and the common case pays nothing.
- **not decided**: a refusal that may pass (``Problem.may_pass``): what is named is not there (404: perhaps nobody has
  told of it yet), or the refusal says when to ask again. Nothing is stored, and the same request under the same key is
  looked at anew: a till that tries again finds the member who enrolled just now. So it is with every **fault**, which
  is anything else, 5xx and 429 included.
- **elsewhere**: another request with the same key is being decided: 409, without waiting.

Of a crash nothing is left, in whatever place it comes: what was not committed did not happen.

On a hot path (``is_hot``) all of that takes two round trips less: the transaction begins with the lock and the record
in one statement, and ends with what ``work`` has put off and the record in one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import asyncpg
from fastapi import Response
from pydantic import BaseModel

from shared.database import Database, Transaction
from shared.database.engine import BUSINESS_TIME, Opened, Opening
from shared.database.errors import StartAgainError
from shared.web.answers import Decided, ProblemAnswer, UnderWay, Work
from shared.web.keyed_answers import (
    Decision,
    Keyed,
    TurnedAwayError,
    decided,
    replayed,
    require_ours,
    saving,
    under_way,
)
from shared.web.keyed_requests import KeyedRequest
from shared.web.principal import Principal
from shared.web.refusals import as_problem

ANSWERS_KEPT = timedelta(days=7)
FORGET_ROWS_MAX = 1_000

IDEMPOTENCY_DDL: tuple[str, ...] = (
    """
    create table idempotency (
        client_id text not null,
        idempotency_key text not null,
        request_hash bytea not null,  -- SHA-256 of method, path and canonical body
        status smallint not null,
        body bytea not null,
        created_at timestamptz not null,  -- business time
        primary key (client_id, idempotency_key)
    )
    """,
    "create index idempotency_created_at on idempotency (created_at)",
)

# Two statements and not one: a statement sees what was committed before it began, so one that locks and reads could
# get the lock of a request that just committed and still not see its record.
_LOCKED = "pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' idempotency ' || $1, 0))"
_TRY_LOCK = f"select {_LOCKED}"
_FIND = "select request_hash, status, body from idempotency where client_id = $1 and idempotency_key = $2"
# On a hot path it is one all the same: a record that this did not see is met when ours is written, by its primary key.
# What follows looks rows up by their keys: planning it anew for each request costs more than it could save.
_OPEN = f"""
    select {BUSINESS_TIME} as now, {_LOCKED} as is_ours, stored.request_hash, stored.status, stored.body,
        set_config('plan_cache_mode', 'force_generic_plan', true)
    from (values (1)) as one
        left join lateral (
            select request_hash, status, body from idempotency where client_id = $2 and idempotency_key = $3 limit 1
        ) as stored on true
"""
# The same for the keys of several requests, a row each in their order. Nobody waits for a lock that is only tried.
OPEN_ALL = f"""
    select {BUSINESS_TIME} as now, asked.is_ours, stored.request_hash, stored.status, stored.body
    from (
            select ordinal, client_id, idempotency_key, {_LOCKED.replace("$1", "locked")} as is_ours,
                set_config('plan_cache_mode', 'force_generic_plan', true)
            from unnest($1::text[], $2::text[], $3::text[]) with ordinality
                as asked (locked, client_id, idempotency_key, ordinal)
        ) as asked
        left join lateral (
            select request_hash, status, body from idempotency
            where idempotency.client_id = asked.client_id and idempotency.idempotency_key = asked.idempotency_key
            limit 1
        ) as stored on true
    order by asked.ordinal
"""
_FORGET = """
    delete from idempotency
    where (client_id, idempotency_key) in (
        select client_id, idempotency_key from idempotency
        where created_at < $1
        order by created_at
        limit $2
        for update skip locked  -- two workers clean at once without waiting for each other
    )
"""


async def idempotent(
    database: Database,
    principal: Principal,
    request: KeyedRequest,
    payload: BaseModel | bytes | None,
    work: Work,
    *,
    is_hot: bool = False,
) -> Response:
    """Do ``work`` once per client and key, and answer as the first time ever after.

    ``work`` runs in its own transaction and may run again after a deadlock: it has no effect outside of it. Return
    what this function returns from the route as it is; a replayed answer has the same status and bytes (but for what
    ``Answer.kept`` leaves out) and the header ``Idempotency-Replayed: true``. ``payload`` is the body: what its model
    does not dump does not tell requests apart. ``is_hot`` saves round trips where ``work`` uses ``Transaction.raw``
    alone, and reads nothing that it has put off.

    Raises:
        Problem: 409 while a request with this key is being decided, 422 when the key came with another payload.
    """
    keyed = Keyed.of(principal, request, payload)
    run = _run_hot if is_hot else _run
    try:
        return await run(database, keyed, work)
    except TurnedAwayError as turned:
        raise turned.problem from None
    except Exception as error:
        problem = as_problem(error, request.domain_problems)
        if problem is None or problem.may_pass:
            raise
        refusal_answer = ProblemAnswer(problem)

    async def refuse(_: Transaction) -> Decided:
        return refusal_answer

    try:
        return await run(database, keyed, refuse)
    except TurnedAwayError as turned:
        raise turned.problem from None


async def _run(database: Database, keyed: Keyed, work: Work) -> Response:
    async def once(transaction: Transaction) -> Response:
        raw = transaction.raw
        require_ours(is_ours=await raw.fetchval(_TRY_LOCK, keyed.lock))
        stored = await raw.fetchrow(_FIND, keyed.client_id, keyed.key)
        if stored is not None:
            return replayed(stored, keyed.request_hash)
        answer = await work(transaction)
        if isinstance(answer, UnderWay):
            return under_way(answer)
        decision = Decision.of(keyed, answer)
        record = saving([decision], transaction.now)
        await raw.execute(record.statement, *record.arguments)
        return decided(decision)

    return await database.run(once)


async def _run_hot(database: Database, keyed: Keyed, work: Work) -> Response:
    async def once(opened: Opened) -> Response:
        transaction, found = opened.transaction, opened.row
        require_ours(is_ours=found["is_ours"])
        if found["request_hash"] is not None:
            return replayed(found, keyed.request_hash)
        answer = await work(transaction)
        if isinstance(answer, UnderWay):
            return under_way(answer)
        decision = Decision.of(keyed, answer)
        transaction.later.append(saving([decision], transaction.now))
        with meeting_records():
            await transaction.write_later()
        return decided(decision)

    return await database.run_opened(Opening(_OPEN, (keyed.lock, keyed.client_id, keyed.key)), once)


@contextmanager
def meeting_records() -> Iterator[None]:
    """What is written in this block meets records that the transaction's first statement could not see yet.

    Raises:
        StartAgainError: there is one, and nothing was written.
    """
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "idempotency_pkey":
            raise
        raise StartAgainError("a request with this key was decided while ours began") from None


async def forget_answers(transaction: Transaction, *, kept: timedelta = ANSWERS_KEPT) -> int:
    """Delete up to ``FORGET_ROWS_MAX`` answers older than ``kept``; how many were deleted. Harmless to repeat."""
    status: str = await transaction.raw.execute(_FORGET, transaction.now - kept, FORGET_ROWS_MAX)
    return int(status.rpartition(" ")[2])
