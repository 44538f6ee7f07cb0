"""Statements on rule sets from their draft to their end, and the history of what was done to them."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from shared.database import Transaction
from shared.rule_sets.life import LivingRuleSet, Publication, Step
from shared.rule_sets.records import StoredChange, StoredRuleSet

_INSERT = """
    insert into rule_sets (rule_set_id, document, state, authors, revision, drafted_at)
    values ($1, $2, $3, $4, $5, $6)
"""

_UPDATE = """
    update rule_sets set
        document = $2, state = $3, authors = $4, revision = $5, approved_by = $6, version = $7, effective_from = $8,
        approved_at = case when $6::text is null then null else coalesce(approved_at, $9) end,
        published_by = case when $7::integer is null then null else coalesce(published_by, $10) end,
        published_at = case when $7::integer is null then null else coalesce(published_at, $9) end
    where rule_set_id = $1
"""

_INSERT_CHANGE = """
    insert into rule_set_changes (
        rule_set_id, revision, action, author, at, reason, version, effective_from, document_sha256
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

# In force until the next one is: withdrawn ones follow nobody.
_SELECT = """
    select rule_set_id, document, state, authors, revision, approved_by, version, effective_from, drafted_at,
        approved_at, published_by, published_at,
        case when state in ('published', 'retired') then (
            select min(next.effective_from) from rule_sets as next
            where next.state in ('published', 'retired') and next.effective_from > rule_sets.effective_from
        ) end as effective_until
    from rule_sets
"""

_FIND = f"{_SELECT} where rule_set_id = $1"
_FIND_VERSION = f"{_SELECT} where version = $1"
_FIND_BEFORE = f"""
    {_SELECT}
    where state in ('published', 'retired') and effective_from < $1
    order by effective_from desc
    limit 1
"""
_LOCK = "select rule_set_id from rule_sets where rule_set_id = $1 for no key update"

# One publication of a service at a time: versions rise without gaps, and what follows what stands still meanwhile.
_QUEUE = "select pg_advisory_xact_lock(hashtext('publication of rule sets of ' || current_schema()))"
_HIGHEST_VERSION = "select coalesce(max(version), 0) from rule_sets"
_LOAD_PUBLICATIONS = """
    select version, effective_from, state = 'retired' as is_retired from rule_sets
    where state in ('published', 'retired')
    order by effective_from
"""

# Withdrawn ones too: what came from a clock that runs ahead may have been judged by one, and is judged again by it.
_LOAD_NEWER = """
    select version, state = 'withdrawn' as is_withdrawn,
        case when version > $1 then
            (document || jsonb_build_object('version', version, 'effective_from', effective_from))::text
        end as document
    from rule_sets
    where version is not null
    order by version
"""

_LOAD_PAGE = f"""
    {_SELECT}
    where ($1::boolean or state in ('published', 'retired'))
        and ($2::timestamptz is null or (drafted_at, rule_set_id) < ($2, $3))
    order by drafted_at desc, rule_set_id desc
    limit $4
"""

_LOAD_CHANGES = """
    select revision, action, author, at, reason, version, effective_from, document_sha256 from rule_set_changes
    where rule_set_id = $1 and revision > $2
    order by revision
    limit $3
"""


class Known(NamedTuple):
    """What a process has to read: documents of versions that it does not know, and which of all were withdrawn.

    A document bears its ``version`` and ``effective_from``.
    """

    newer: list[str]
    withdrawn: frozenset[int]


async def queue_for_publication(transaction: Transaction) -> int:
    """Wait for other publications to end, to the commit; the highest version so far (0 before the first)."""
    await transaction.raw.execute(_QUEUE)
    return int(await transaction.raw.fetchval(_HIGHEST_VERSION))


async def load_publications(transaction: Transaction) -> list[Publication]:
    """Every version that judges something, or will, in the order in which they take effect."""
    return [Publication(*row) for row in await transaction.raw.fetch(_LOAD_PUBLICATIONS)]


async def load_newer(transaction: Transaction, than_version: int) -> Known:
    """Versions above ``than_version``, rising, and all that were withdrawn."""
    rows = await transaction.raw.fetch(_LOAD_NEWER, than_version)
    return Known(
        [row["document"] for row in rows if row["document"] is not None],
        frozenset(row["version"] for row in rows if row["is_withdrawn"]),
    )


async def insert_rule_set(transaction: Transaction, step: Step) -> None:
    """Write a new draft and the first entry of its history."""
    made = step.after
    await transaction.raw.execute(
        _INSERT,
        made.rule_set_id,
        _json(made.document),
        made.state,
        list(made.authors),
        made.revision,
        transaction.now,
    )
    await _record(transaction, step)


async def save_step(transaction: Transaction, step: Step) -> None:
    """Write what a rule set is now, whose row is locked, and record the step that made it so."""
    after = step.after
    await transaction.raw.execute(
        _UPDATE,
        after.rule_set_id,
        _json(after.document),
        after.state,
        list(after.authors),
        after.revision,
        after.approved_by,
        after.version,
        after.effective_from,
        transaction.now,
        step.author,
    )
    await _record(transaction, step)


async def find_rule_set(transaction: Transaction, reference: UUID | int) -> StoredRuleSet | None:
    """The rule set with this id, or the one that was published as this version."""
    statement = _FIND if isinstance(reference, UUID) else _FIND_VERSION
    row = await transaction.raw.fetchrow(statement, reference)
    return None if row is None else _stored(row)


async def find_before(transaction: Transaction, moment: datetime) -> StoredRuleSet | None:
    """The version that is in force just before a moment."""
    row = await transaction.raw.fetchrow(_FIND_BEFORE, moment)
    return None if row is None else _stored(row)


async def lock_rule_set(transaction: Transaction, rule_set_id: UUID) -> LivingRuleSet | None:
    """The rule set with this id, locked to the commit."""
    if await transaction.raw.fetchval(_LOCK, rule_set_id) is None:
        return None
    # In a statement of its own: one that waits for the lock would show its neighbours as of before.
    found = await find_rule_set(transaction, rule_set_id)
    return None if found is None else found.rule_set


async def load_rule_sets(
    transaction: Transaction, *, with_unpublished: bool, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[StoredRuleSet]:
    """Rule sets, the newest draft first."""
    rows = await transaction.raw.fetch(_LOAD_PAGE, with_unpublished, *(after or (None, None)), rows_max)
    return [_stored(row) for row in rows]


async def load_changes(
    transaction: Transaction, rule_set_id: UUID, *, after_revision: int, rows_max: int
) -> list[StoredChange]:
    """A rule set's history, from its draft on."""
    rows = await transaction.raw.fetch(_LOAD_CHANGES, rule_set_id, after_revision, rows_max)
    return [StoredChange(*row) for row in rows]


async def _record(transaction: Transaction, step: Step) -> None:
    after = step.after
    is_published = step.action == "published"
    await transaction.raw.execute(
        _INSERT_CHANGE,
        after.rule_set_id,
        after.revision,
        step.action,
        step.author,
        transaction.now,
        step.reason,
        after.version if is_published else None,
        after.effective_from if is_published else None,
        after.document_sha256,
    )


def _json(document: Any) -> str:
    return orjson.dumps(document).decode()


def _stored(row: asyncpg.Record) -> StoredRuleSet:
    rule_set = LivingRuleSet(
        rule_set_id=row["rule_set_id"],
        document=row["document"],
        state=row["state"],
        authors=tuple(row["authors"]),
        revision=row["revision"],
        approved_by=row["approved_by"],
        version=row["version"],
        effective_from=row["effective_from"],
    )
    return StoredRuleSet(
        rule_set,
        row["drafted_at"],
        row["approved_at"],
        row["published_by"],
        row["published_at"],
        row["effective_until"],
    )
