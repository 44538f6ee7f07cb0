"""Every statement on consents. Whoever writes one holds the member's row."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.members.domain.consents import Confirmation, Consent, ConsentKey, Statement
from shared.database import Transaction

# In the table an empty partner is the programme: it is part of keys, and null equals nothing.
_PROGRAMME = ""

_STATEMENT = """
    statement_id, member_id, purpose, channel, partner_id, is_granted, text_version, language, source, proof,
    stated_at, recorded_at, recorded_by
"""
INSERT_STATEMENT = f"""
    insert into consent_statements ({_STATEMENT})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
SAVE_CONSENT = """
    insert into consents (member_id, purpose, channel, partner_id, statement_id, version)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (member_id, purpose, channel, partner_id) do update
        set statement_id = excluded.statement_id, version = excluded.version
"""
_CONSENTS = f"""
    select version, {_STATEMENT}
    from consents
        join consent_statements using (statement_id, member_id, purpose, channel, partner_id)
    where member_id = $1
"""
FIND_CONSENT = f"{_CONSENTS} and purpose = $2 and channel = $3 and partner_id = $4"
LOAD_CONSENTS = f"{_CONSENTS} and ($2::text is null or partner_id = $2) order by purpose, channel, partner_id limit $3"
LOAD_CONSENTS_OF = f"""
    select version, {_STATEMENT}
    from consents
        join consent_statements using (statement_id, member_id, purpose, channel, partner_id)
    where member_id = any($1::uuid[])
    order by member_id, purpose, channel, partner_id
"""
_CONFIRMATIONS = f"""
    select token_sha256, expires_at, state, {_STATEMENT}
    from consent_confirmations
        join consent_statements using (statement_id)
"""
FIND_AWAITED = f"""
    {_CONFIRMATIONS}
    where member_id = $1 and purpose = $2 and channel = $3 and partner_id = $4 and state = 'awaited'
"""
LOAD_AWAITED = f"""
    {_CONFIRMATIONS}
    where member_id = $1 and ($2::text is null or partner_id = $2) and state = 'awaited' and expires_at > $3
    order by purpose, channel, partner_id
    limit $4
"""
FIND_CONFIRMATION = f"{_CONFIRMATIONS} where token_sha256 = $1"
INSERT_CONFIRMATION = """
    insert into consent_confirmations (statement_id, token_sha256, expires_at, state) values ($1, $2, $3, 'awaited')
"""
SETTLE_CONFIRMATION = """
    update consent_confirmations
    set state = $2, settled_by = $3, settled_at = $4
    where statement_id = $1
"""
# Ids rise with time, so the newest recorded comes first.
LOAD_HISTORY = f"""
    select state, token_sha256, expires_at, {_STATEMENT}
    from consent_statements
        left join consent_confirmations using (statement_id)
    where member_id = $1 and ($2::text is null or partner_id = $2) and ($3::uuid is null or statement_id < $3)
    order by statement_id desc
    limit $4
"""


async def insert_statement(transaction: Transaction, statement: Statement) -> None:
    """Keep what was said."""
    key = statement.key
    await transaction.raw.execute(
        INSERT_STATEMENT,
        statement.statement_id,
        key.member_id,
        key.purpose,
        key.channel,
        key.partner_id or _PROGRAMME,
        statement.is_granted,
        statement.text_version,
        statement.language,
        statement.source,
        statement.proof,
        statement.stated_at,
        statement.recorded_at,
        statement.recorded_by,
    )


async def save_consent(transaction: Transaction, consent: Consent) -> None:
    """What holds from now on."""
    statement = consent.statement
    await transaction.raw.execute(SAVE_CONSENT, *_columns(statement.key), statement.statement_id, consent.version)


async def find_consent(transaction: Transaction, key: ConsentKey) -> Consent | None:
    """What holds; None while nothing was said that counts."""
    row = await transaction.raw.fetchrow(FIND_CONSENT, *_columns(key))
    return None if row is None else _consent(row)


async def load_consents(
    transaction: Transaction, member_id: UUID, *, only_partner: str | None, rows_max: int
) -> list[Consent]:
    """What holds for a member, by purpose, channel and partner."""
    return [_consent(row) for row in await transaction.raw.fetch(LOAD_CONSENTS, member_id, only_partner, rows_max)]


async def load_consents_of(transaction: Transaction, member_ids: Sequence[UUID]) -> list[Consent]:
    """What holds for these members, by member, purpose, channel and partner."""
    return [_consent(row) for row in await transaction.raw.fetch(LOAD_CONSENTS_OF, member_ids)]


async def insert_confirmation(transaction: Transaction, confirmation: Confirmation) -> None:
    """Let a statement wait for its token."""
    await transaction.raw.execute(
        INSERT_CONFIRMATION, confirmation.statement.statement_id, confirmation.token_sha256, confirmation.expires_at
    )


async def settle_confirmation(transaction: Transaction, confirmation: Confirmation, settled_by: str) -> None:
    """End the waiting: ``confirmation.state`` says how."""
    await transaction.raw.execute(
        SETTLE_CONFIRMATION, confirmation.statement.statement_id, confirmation.state, settled_by, transaction.now
    )


async def find_awaited(transaction: Transaction, key: ConsentKey) -> Confirmation | None:
    """The confirmation that a consent waits for; at most one, which may have expired."""
    row = await transaction.raw.fetchrow(FIND_AWAITED, *_columns(key))
    return None if row is None else _confirmation(row)


async def load_awaited(
    transaction: Transaction, member_id: UUID, *, only_partner: str | None, rows_max: int
) -> list[Confirmation]:
    """What a member still has to confirm and still can, by purpose, channel and partner."""
    rows = await transaction.raw.fetch(LOAD_AWAITED, member_id, only_partner, transaction.now, rows_max)
    return [_confirmation(row) for row in rows]


async def find_confirmation(transaction: Transaction, token_sha256: bytes) -> Confirmation | None:
    """The confirmation that a token was made for, in whatever state."""
    row = await transaction.raw.fetchrow(FIND_CONFIRMATION, token_sha256)
    return None if row is None else _confirmation(row)


async def load_history(
    transaction: Transaction, member_id: UUID, *, only_partner: str | None, before: UUID | None, rows_max: int
) -> list[tuple[Statement, Confirmation | None]]:
    """All that was said, the newest recorded first."""
    rows = await transaction.raw.fetch(LOAD_HISTORY, member_id, only_partner, before, rows_max)
    return [(_statement(row), None if row["state"] is None else _confirmation(row)) for row in rows]


def _columns(key: ConsentKey) -> tuple[UUID, str, str, str]:
    return key.member_id, key.purpose, key.channel, key.partner_id or _PROGRAMME


def _statement(row: asyncpg.Record) -> Statement:
    return Statement(
        statement_id=row["statement_id"],
        key=ConsentKey(row["member_id"], row["purpose"], row["channel"], row["partner_id"] or None),
        is_granted=row["is_granted"],
        text_version=row["text_version"],
        language=row["language"],
        source=row["source"],
        proof=row["proof"],
        stated_at=row["stated_at"],
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
    )


def _consent(row: asyncpg.Record) -> Consent:
    return Consent(_statement(row), row["version"])


def _confirmation(row: asyncpg.Record) -> Confirmation:
    return Confirmation(_statement(row), row["token_sha256"], row["expires_at"], row["state"])
