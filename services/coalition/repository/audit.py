"""Statements on the audit log. It only grows: the service's role may neither change nor delete a row."""

from collections.abc import Sequence
from typing import Any

import orjson

from services.coalition.domain.audit import Act, AuditEntry, AuditFilter
from shared.database import Transaction

INSERT_ENTRIES = """
    insert into audit_log (at, author, action, subject, partner_id, before, after, why, request_id)
    select $1, author, action, subject, partner_id, before::jsonb, after::jsonb, why, $2
    from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) with ordinality
        as incoming (author, action, subject, partner_id, before, after, why, place)
    order by place
"""

# Newest first. A filter that is not given is null and lets every row pass.
LOAD_ENTRIES = """
    select entry_id, at, author, action, subject, partner_id, before, after, why, request_id
    from audit_log
    where ($1::bigint is null or entry_id < $1)
        and ($2::text is null or author = $2)
        and ($3::text is null or action = $3)
        and ($4::text is null or subject = $4)
        and ($5::text is null or partner_id = $5)
        and ($6::timestamptz is null or at >= $6)
        and ($7::timestamptz is null or at < $7)
    order by entry_id desc
    limit $8
"""


async def insert_entries(transaction: Transaction, acts: Sequence[Act], request_id: str | None) -> None:
    """Write the acts in their order, with one statement."""
    await transaction.raw.execute(
        INSERT_ENTRIES,
        transaction.now,
        request_id,
        [act.author for act in acts],
        [act.action for act in acts],
        [act.subject for act in acts],
        [act.partner_id for act in acts],
        [_json(act.before) for act in acts],
        [_json(act.after) for act in acts],
        [act.why for act in acts],
    )


async def load_entries(
    transaction: Transaction, wanted: AuditFilter, *, before_entry: int | None, rows_max: int
) -> list[AuditEntry]:
    """Up to ``rows_max`` entries, newest first, older than ``before_entry``."""
    rows = await transaction.raw.fetch(
        LOAD_ENTRIES,
        before_entry,
        wanted.author,
        wanted.action,
        wanted.subject,
        wanted.partner_id,
        wanted.since,
        wanted.until,
        rows_max,
    )
    return [
        AuditEntry(
            entry_id=row["entry_id"],
            at=row["at"],
            act=Act(
                author=row["author"],
                action=row["action"],
                subject=row["subject"],
                partner_id=row["partner_id"],
                before=_read(row["before"]),
                after=_read(row["after"]),
                why=row["why"],
            ),
            request_id=row["request_id"],
        )
        for row in rows
    ]


def _json(document: Any) -> str | None:
    return None if document is None else orjson.dumps(document).decode()


def _read(document: Any) -> Any:
    return orjson.loads(document) if isinstance(document, str | bytes) else document
