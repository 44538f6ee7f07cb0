"""Every statement on the texts that consents are given before. They are only ever inserted."""

from collections.abc import Sequence

import asyncpg

from services.members.domain.consents import ConsentText
from shared.database import Transaction

INSERT_TEXTS = """
    insert into consent_texts (purpose, channel, text_version, language, wording, declared_by, declared_at)
    select $1, $2, $3, language, wording, $6, $7
    from unnest($4::text[], $5::text[]) as declared (language, wording)
    order by language collate "C"
    on conflict do nothing
    returning language
"""
FIND_TEXT = """
    select purpose, channel, text_version, language, wording
    from consent_texts
    where purpose = $1 and channel = $2
        and ($3::text is null or text_version = $3)
        and ($4::text is null or language = $4)
    order by declared_at desc, text_version desc, language
    limit 1
"""
LOAD_TEXTS = """
    select purpose, channel, text_version, language, wording
    from consent_texts
    where $1::text is null or (purpose, channel, text_version, language) > ($1, $2, $3, $4)
    order by purpose, channel, text_version, language
    limit $5
"""


async def insert_texts(transaction: Transaction, texts: Sequence[ConsentText], declared_by: str) -> frozenset[str]:
    """Write one version in its languages, and return those in which it was new."""
    first = texts[0]
    rows = await transaction.raw.fetch(
        INSERT_TEXTS,
        first.purpose,
        first.channel,
        first.text_version,
        [text.language for text in texts],
        [text.wording for text in texts],
        declared_by,
        transaction.now,
    )
    return frozenset(row["language"] for row in rows)


async def find_text(
    transaction: Transaction, purpose: str, channel: str, text_version: str | None, language: str | None
) -> ConsentText | None:
    """The text, where it was declared; without a version or language the one declared last."""
    row = await transaction.raw.fetchrow(FIND_TEXT, purpose, channel, text_version, language)
    return None if row is None else _text(row)


async def load_texts(
    transaction: Transaction, *, after: tuple[str, str, str, str] | None, rows_max: int
) -> list[ConsentText]:
    """Texts by purpose, channel, version and language."""
    position = after or (None, None, None, None)
    return [_text(row) for row in await transaction.raw.fetch(LOAD_TEXTS, *position, rows_max)]


def _text(row: asyncpg.Record) -> ConsentText:
    return ConsentText(row["purpose"], row["channel"], row["text_version"], row["language"], row["wording"])
