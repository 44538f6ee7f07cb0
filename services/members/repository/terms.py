"""Every statement on terms and their acceptance."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg

from services.members.domain.terms import Acceptance, Terms
from shared.database import Transaction

_TERMS = "language, terms_version, title, effective_from, announced_at"

# A draft is written anew as often as its author likes; what is published stays.
SAVE_DRAFT = f"""
    insert into terms (language, terms_version, title, paragraphs, effective_from, drafted_by, drafted_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (language, terms_version) do update
        set title = excluded.title, paragraphs = excluded.paragraphs, effective_from = excluded.effective_from,
            drafted_by = excluded.drafted_by, drafted_at = excluded.drafted_at
        where terms.announced_at is null
    returning {_TERMS}
"""
# All versions of the language: two that are published at once would not see each other's dates.
LOCK_LANGUAGE = f"select {_TERMS} from terms where language = $1 order by terms_version for no key update"
PUBLISH = """
    update terms
    set announced_at = $3, published_by = $4, published_at = $5
    where language = $1 and terms_version = $2
"""
FIND_TERMS = f"select {_TERMS}, paragraphs from terms where language = $1 and terms_version = $2"
LOAD_TERMS = f"""
    select {_TERMS}
    from terms
    where language = $1
        and (announced_at is not null or $2)
        and ($3::timestamptz is null or (effective_from, terms_version) < ($3, $4))
    order by effective_from desc, terms_version desc
    limit $5
"""
LOAD_PUBLISHED = f"""
    select {_TERMS}
    from terms
    where announced_at is not null and ($1::text is null or language = $1)
    order by language, effective_from desc
    limit $2
"""
LOAD_UPCOMING = f"""
    select {_TERMS}
    from terms
    where announced_at is not null
        and effective_from > $1
        and effective_from <= $2
        and ($3::timestamptz is null or (effective_from, language, terms_version) > ($3, $4, $5))
    order by effective_from, language, terms_version
    limit $6
"""

_ACCEPTANCE = "acceptance_id, member_id, language, terms_version, source, proof, accepted_at, recorded_at, recorded_by"
INSERT_ACCEPTANCE = f"insert into terms_acceptances ({_ACCEPTANCE}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
LOAD_ACCEPTANCES = f"""
    select {_ACCEPTANCE}
    from terms_acceptances
    where member_id = $1
    order by acceptance_id desc
    limit $2
"""

# Languages by versions of one programme: dozens, over many years.
PUBLISHED_MAX = 5_000


async def save_draft(transaction: Transaction, draft: Terms, paragraphs: Sequence[str], author: str) -> Terms | None:
    """The draft as it stands now; None where the version is published."""
    row = await transaction.raw.fetchrow(
        SAVE_DRAFT,
        draft.language,
        draft.terms_version,
        draft.title,
        list(paragraphs),
        draft.effective_from,
        author,
        transaction.now,
    )
    return None if row is None else _terms(row)


async def lock_language(transaction: Transaction, language: str) -> list[Terms]:
    """All versions in a language, locked to the commit."""
    return [_terms(row) for row in await transaction.raw.fetch(LOCK_LANGUAGE, language)]


async def publish(transaction: Transaction, draft: Terms, announced_at: datetime, author: str) -> Terms:
    """Settle a draft that is locked."""
    arguments = (draft.language, draft.terms_version, announced_at, author, transaction.now)
    await transaction.raw.execute(PUBLISH, *arguments)
    return replace(draft, announced_at=announced_at)


async def find_terms(transaction: Transaction, language: str, terms_version: str) -> tuple[Terms, list[str]] | None:
    """One version with its text."""
    row = await transaction.raw.fetchrow(FIND_TERMS, language, terms_version)
    return None if row is None else (_terms(row), row["paragraphs"])


async def load_terms(
    transaction: Transaction, language: str, *, with_drafts: bool, after: tuple[datetime, str] | None, rows_max: int
) -> list[Terms]:
    """Versions in a language, the one that takes effect last first."""
    position = after or (None, None)
    rows = await transaction.raw.fetch(LOAD_TERMS, language, with_drafts, *position, rows_max)
    return [_terms(row) for row in rows]


async def load_published(transaction: Transaction, language: str | None = None) -> list[Terms]:
    """All that is published, in one language or in all; at most ``PUBLISHED_MAX``."""
    return [_terms(row) for row in await transaction.raw.fetch(LOAD_PUBLISHED, language, PUBLISHED_MAX)]


async def load_upcoming(
    transaction: Transaction, *, until: datetime, after: tuple[datetime, str, str] | None, rows_max: int
) -> list[Terms]:
    """What is published and takes effect from now to ``until``, the next first."""
    position = after or (None, None, None)
    rows = await transaction.raw.fetch(LOAD_UPCOMING, transaction.now, until, *position, rows_max)
    return [_terms(row) for row in rows]


async def insert_acceptance(transaction: Transaction, acceptance: Acceptance) -> None:
    """Keep that a member, who is locked, accepted a version."""
    await transaction.raw.execute(
        INSERT_ACCEPTANCE,
        acceptance.acceptance_id,
        acceptance.member_id,
        acceptance.language,
        acceptance.terms_version,
        acceptance.source,
        acceptance.proof,
        acceptance.accepted_at,
        acceptance.recorded_at,
        acceptance.recorded_by,
    )


async def load_acceptances(transaction: Transaction, member_id: UUID, rows_max: int) -> list[Acceptance]:
    """What a member accepted, the newest recorded first."""
    rows = await transaction.raw.fetch(LOAD_ACCEPTANCES, member_id, rows_max)
    return [Acceptance(**dict(row)) for row in rows]


def _terms(row: asyncpg.Record) -> Terms:
    return Terms(row["language"], row["terms_version"], row["title"], row["effective_from"], row["announced_at"])
