"""Statements on payments. Append-only: the service's role may neither change nor delete one."""

from collections.abc import Collection

from services.coalition.domain.top_ups import Paid, TopUp
from shared.database import Transaction

_INSERT = """
    insert into top_ups (partner_id, document_number, amount_minor, currency, booked_at, booked_by)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (partner_id, document_number) do nothing
    returning document_number
"""

_COLUMNS = "partner_id, document_number, amount_minor, currency, booked_at, booked_by"

_FIND = f"select {_COLUMNS} from top_ups where partner_id = $1 and document_number = $2"

_LOAD_PAGE = f"""
    select {_COLUMNS} from top_ups
    where partner_id = $1 and ($2::text is null or document_number > $2)
    order by document_number
    limit $3
"""

_LOAD_PAID = """
    select partner_id, sum(amount_minor)::bigint as paid_minor, min(currency) as currency
    from top_ups where partner_id = any($1::text[]) group by partner_id
"""


async def insert_top_up(transaction: Transaction, top_up: TopUp) -> bool:
    """Whether the document is new: then it is written."""
    written = await transaction.raw.fetchval(
        _INSERT,
        top_up.partner_id,
        top_up.document_number,
        top_up.amount_minor,
        top_up.currency,
        top_up.booked_at,
        top_up.booked_by,
    )
    return written is not None


async def find_top_up(transaction: Transaction, partner_id: str, document_number: str) -> TopUp | None:
    """The payment that a document booked."""
    row = await transaction.raw.fetchrow(_FIND, partner_id, document_number)
    return None if row is None else TopUp(*row.values())


async def load_top_ups(transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int) -> list[TopUp]:
    """A partner's payments in the order of their documents."""
    return [TopUp(*row.values()) for row in await transaction.raw.fetch(_LOAD_PAGE, partner_id, after, rows_max)]


async def load_paid(transaction: Transaction, partner_ids: Collection[str]) -> dict[str, Paid]:
    """What these partners have paid; one that has paid nothing is absent."""
    rows = await transaction.raw.fetch(_LOAD_PAID, sorted(partner_ids))
    return {row["partner_id"]: Paid(row["paid_minor"], row["currency"]) for row in rows}
