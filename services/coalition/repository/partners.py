"""Statements on partners.

Who changes a partner's stores or tills locks the partner first: events of one partner bear one key on Kafka, and the
lock puts them into the outbox in the order of the commits.
"""

from typing import Any

import asyncpg
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping

from services.coalition.domain.registry import Partner
from services.coalition.domain.standing import Standing
from services.coalition.tables import partners
from shared.database import Transaction

_KEEP_VERSION = """
    insert into partner_versions
    select partner_id, version, name, kind, state, in_force_from, reason_code, last_earn_on, last_spend_on,
        returns_until, line_tolerance_minor, receipt_tolerance_minor
    from partners where partner_id = $1
"""


async def insert_partner(transaction: Transaction, partner: Partner) -> bool:
    """Whether the id was free: then the partner is written."""
    statement = (
        insert(partners)
        .values(registered_at=transaction.now, **_values(partner))
        .on_conflict_do_nothing()
        .returning(partners.c.partner_id)
    )
    if (await transaction.connection.execute(statement)).first() is None:
        return False
    await transaction.raw.execute(_KEEP_VERSION, partner.partner_id)
    return True


async def lock_partner(transaction: Transaction, partner_id: str) -> bool:
    """Whether there is such a partner: then it is locked to the commit."""
    statement = select(partners.c.partner_id).where(partners.c.partner_id == partner_id).with_for_update(key_share=True)
    return (await transaction.connection.execute(statement)).first() is not None


async def lock_present(transaction: Transaction, partner_id: str) -> Partner | None:
    """The partner as it is, locked to the commit."""
    statement = select(partners).where(partners.c.partner_id == partner_id).with_for_update(key_share=True)
    row = (await transaction.connection.execute(statement)).mappings().first()
    return None if row is None else partner_of(row)


async def update_partner(transaction: Transaction, partner: Partner) -> None:
    """Write what a partner is now; its row is locked."""
    statement = partners.update().where(partners.c.partner_id == partner.partner_id).values(_values(partner))
    await transaction.connection.execute(statement)
    await transaction.raw.execute(_KEEP_VERSION, partner.partner_id)


async def find_partner(transaction: Transaction, partner_id: str) -> Partner | None:
    """The partner with this id."""
    statement = select(partners).where(partners.c.partner_id == partner_id)
    row = (await transaction.connection.execute(statement)).mappings().first()
    return None if row is None else partner_of(row)


async def load_partners(
    transaction: Transaction, *, only: str | None, after: str | None, rows_max: int
) -> list[Partner]:
    """Partners in the order of their ids; ``only`` leaves at most the one with that id."""
    statement = select(partners).order_by(partners.c.partner_id).limit(rows_max)
    if only is not None:
        statement = statement.where(partners.c.partner_id == only)
    if after is not None:
        statement = statement.where(partners.c.partner_id > after)
    return [partner_of(row) for row in (await transaction.connection.execute(statement)).mappings()]


def partner_of(row: RowMapping | asyncpg.Record) -> Partner:
    """A row of partners, or of their versions."""
    return Partner(
        partner_id=row["partner_id"],
        name=row["name"],
        standing=Standing(
            kind=row["kind"],
            state=row["state"],
            in_force_from=row["in_force_from"],
            reason_code=row["reason_code"],
            last_earn_on=row["last_earn_on"],
            last_spend_on=row["last_spend_on"],
            returns_until=row["returns_until"],
        ),
        line_tolerance_minor=row["line_tolerance_minor"],
        receipt_tolerance_minor=row["receipt_tolerance_minor"],
        version=row["version"],
    )


def _values(partner: Partner) -> dict[str, Any]:
    standing = partner.standing
    return {
        "partner_id": partner.partner_id,
        "name": partner.name,
        "kind": standing.kind,
        "state": standing.state,
        "in_force_from": standing.in_force_from,
        "reason_code": standing.reason_code,
        "last_earn_on": standing.last_earn_on,
        "last_spend_on": standing.last_spend_on,
        "returns_until": standing.returns_until,
        "line_tolerance_minor": partner.line_tolerance_minor,
        "receipt_tolerance_minor": partner.receipt_tolerance_minor,
        "version": partner.version,
    }
