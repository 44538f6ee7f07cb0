"""Statements on contracts.

Approvals go one after the other (``queue_for_approval``): whether two partners' exclusivities clash is not a question
of one row. That a partner's approved contracts never overlap is a constraint of the table all the same.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.coalition.domain.contracts import Contract, Exclusivity, Funding, Rate, Terms
from shared.database import Transaction

_COLUMNS = """
    contract_id, partner_id, number, state, effective_from, effective_until, currency, rates, funding, amount_minor,
    alert_percents, when_exhausted, reserve_minor, exclusivities, authors, version, approved_by, approved_at, ended_by
"""

_QUEUE = "select pg_advisory_xact_lock(hashtext('approval of contracts'))"

_NEXT_NUMBER = "select coalesce(max(number), 0) + 1 from contracts where partner_id = $1"

_INSERT = f"""
    insert into contracts ({_COLUMNS}, drafted_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
"""

_UPDATE = """
    update contracts set
        state = $4, effective_from = $5, effective_until = $6, currency = $7, rates = $8, funding = $9,
        amount_minor = $10, alert_percents = $11, when_exhausted = $12, reserve_minor = $13, exclusivities = $14,
        authors = $15, version = $16, approved_by = $17, approved_at = $18, ended_by = $19
    where contract_id = $1 and partner_id = $2 and number = $3
"""

_FIND = f"select {_COLUMNS} from contracts where contract_id = $1"

_LOAD_APPROVED = f"""
    select {_COLUMNS} from contracts
    where state = 'approved' and ($1::text[] is null or partner_id = any($1))
    order by partner_id, number
"""

_LOAD_PAGE = f"""
    select {_COLUMNS} from contracts
    where ($1::text is null or partner_id = $1) and ($2::text is null or (partner_id, number) > ($2, $3))
    order by partner_id, number
    limit $4
"""


async def queue_for_approval(transaction: Transaction) -> None:
    """Wait until no other approval is under way, to the commit. Take it before any row."""
    await transaction.raw.execute(_QUEUE)


async def next_number(transaction: Transaction, partner_id: str) -> int:
    """The number of a partner's next contract; the partner's row is locked."""
    return int(await transaction.raw.fetchval(_NEXT_NUMBER, partner_id))


async def insert_contract(transaction: Transaction, contract: Contract) -> None:
    """Write a new contract."""
    await transaction.raw.execute(_INSERT, *_values(contract), transaction.now)


async def update_contract(transaction: Transaction, contract: Contract) -> None:
    """Write what a contract is now; its row is locked."""
    await transaction.raw.execute(_UPDATE, *_values(contract))


async def find_contract(transaction: Transaction, contract_id: UUID, *, is_locking: bool = False) -> Contract | None:
    """The contract with this id; locked to the commit if that is asked for."""
    statement = f"{_FIND} for no key update" if is_locking else _FIND
    row = await transaction.raw.fetchrow(statement, contract_id)
    return None if row is None else _contract(row)


async def load_approved(transaction: Transaction, partner_ids: Collection[str] | None = None) -> list[Contract]:
    """Approved contracts, past ones and those to come too; of all partners unless some are named."""
    named = None if partner_ids is None else sorted(partner_ids)
    return [_contract(row) for row in await transaction.raw.fetch(_LOAD_APPROVED, named)]


async def load_contracts(
    transaction: Transaction, *, partner_id: str | None, after: tuple[str, int] | None, rows_max: int
) -> list[Contract]:
    """Contracts in the order of partner and number."""
    after_partner, after_number = after if after is not None else (None, 0)
    rows = await transaction.raw.fetch(_LOAD_PAGE, partner_id, after_partner, after_number, rows_max)
    return [_contract(row) for row in rows]


def _values(contract: Contract) -> tuple[Any, ...]:
    terms = contract.terms
    funding = terms.funding
    return (
        contract.contract_id,
        contract.partner_id,
        contract.number,
        contract.state,
        terms.effective_from,
        terms.effective_until,
        terms.currency,
        orjson.dumps(terms.rates, default=_price_text).decode(),
        funding.kind,
        funding.amount_minor,
        list(funding.alert_percents),
        funding.when_exhausted,
        funding.reserve_minor,
        orjson.dumps(terms.exclusivities).decode(),
        list(contract.authors),
        contract.version,
        contract.approved_by,
        contract.approved_at,
        contract.ended_by,
    )


def _price_text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in a contract")


def _contract(row: asyncpg.Record) -> Contract:
    rates = tuple(
        Rate(**rate | {name: Decimal(rate[name]) for name in ("issue_price", "redemption_price", "vat_percent")})
        for rate in row["rates"]
    )
    funding = Funding(
        row["funding"],
        row["amount_minor"],
        tuple(row["alert_percents"]),
        row["when_exhausted"],
        row["reserve_minor"],
    )
    exclusivities = tuple(Exclusivity(**each) for each in row["exclusivities"])
    return Contract(
        contract_id=row["contract_id"],
        partner_id=row["partner_id"],
        number=row["number"],
        terms=Terms(row["effective_from"], row["effective_until"], row["currency"], rates, funding, exclusivities),
        state=row["state"],
        authors=tuple(row["authors"]),
        version=row["version"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
        ended_by=row["ended_by"],
    )
