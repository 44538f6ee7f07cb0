"""Nothing leads to an erased member any more: tombstones, and documents without identifiers' hashes.

Revision ID: 0006
Revises: 0005
"""

from collections.abc import Iterator

from alembic import op
from sqlalchemy import Connection, Row, text

from services.accrual.repository.stored_documents import compress, decompress, without_identifier
from shared.events.catalogue import PURCHASES

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PAGE_KEYS = 1_000

TABLES = """
    -- The tombstone: the version of MemberErased. Nothing that was told of the member before or after counts any more.
    alter table members add column erased_version bigint;
    create index identifiers_of_member on identifiers (member_id);

    -- The hash that the parked document carries, so that it is found when the identifier is erased. Documents that were
    -- decided are stored without.
    alter table parked add column identifier_hash text;
    create index parked_identifier on parked (identifier_hash) where identifier_hash is not null;
"""

_DOCUMENTS = """
    select natural_key, decided_at as second_key, event from documents
    where natural_key in (
        select distinct natural_key from documents where natural_key > :after order by natural_key limit :keys_max)
    order by natural_key
"""
_REFUSALS = """
    select natural_key, content_hash as second_key, event from refusals
    where event is not null and natural_key in (
        select distinct natural_key from refusals
        where natural_key > :after and event is not null order by natural_key limit :keys_max)
    order by natural_key
"""
_PARKED = """
    select natural_key, null as second_key, event from parked
    where natural_key > :after order by natural_key limit :keys_max
"""
_SAVE_DOCUMENT = "update documents set event = :event where natural_key = :key and decided_at = :second_key"
_SAVE_REFUSAL = "update refusals set event = :event where natural_key = :key and content_hash = :second_key"
_SAVE_PARKED = "update parked set identifier_hash = :identifier_hash where natural_key = :key"


def upgrade() -> None:
    """Make room for tombstones, then take the hashes out of what is stored."""
    op.execute(TABLES)
    strip_documents(op.get_bind())


def strip_documents(connection: Connection) -> None:
    """Page by page in key order. Safe to repeat."""
    for select, save in ((_DOCUMENTS, _SAVE_DOCUMENT), (_REFUSALS, _SAVE_REFUSAL)):
        for rows in _pages(connection, select):
            changed = [
                {"key": row.natural_key, "second_key": row.second_key, "event": compress(stripped)}
                for row in rows
                if (stripped := without_identifier(body := decompress(row.event))) != body
            ]
            if changed:
                connection.execute(text(save), changed)
    for rows in _pages(connection, _PARKED):
        events = [(row.natural_key, PURCHASES.read(decompress(row.event))) for row in rows]
        carried = [
            {"key": key, "identifier_hash": event.data.identifier_hash}
            for key, event in events
            if event.data.identifier_hash is not None
        ]
        if carried:
            connection.execute(text(_SAVE_PARKED), carried)


def _pages(connection: Connection, select: str) -> Iterator[list[Row[tuple[object, ...]]]]:
    after = b""
    while rows := list(connection.execute(text(select), {"after": after, "keys_max": PAGE_KEYS})):
        yield rows
        after = rows[-1].natural_key
