"""Partners' contracts and exposures, as coalition published them: a row only moves to a higher version."""

from collections.abc import Sequence
from uuid import UUID

from services.accrual.domain.partner_funds import Funds, Period
from shared.database import Transaction
from shared.events.contracts import ContractData, ExposureChanged

_SAVE_CONTRACTS = """
    insert into partner_contracts (contract_id, partner_id, effective_from, effective_until, version)
    select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
        as new (contract_id, partner_id, effective_from, effective_until, version)
    order by contract_id
    on conflict (contract_id) do update
        set effective_from = excluded.effective_from, effective_until = excluded.effective_until,
            version = excluded.version
        where partner_contracts.version < excluded.version
"""

_SAVE_EXPOSURES = """
    insert into partner_exposures (partner_id, is_exhausted, told_at, version)
    select * from unnest($1::text[], $2::boolean[], $3::timestamptz[], $4::bigint[])
        as new (partner_id, is_exhausted, told_at, version)
    order by partner_id
    on conflict (partner_id) do update
        set is_exhausted = excluded.is_exhausted, told_at = excluded.told_at, version = excluded.version
        where partner_exposures.version < excluded.version
"""

_LOAD = """
    select partner_id, effective_from, effective_until, coalesce(is_exhausted, false) as is_exhausted, told_at
    from partner_contracts left join partner_exposures using (partner_id)
    where $1::text[] is null or partner_id = any($1)
    order by partner_id, effective_from
"""


async def save_contracts(transaction: Transaction, contracts: Sequence[ContractData]) -> None:
    """Project contracts."""
    newest: dict[UUID, ContractData] = {}
    for contract in contracts:
        known = newest.get(contract.contract_id)
        if known is None or known.version < contract.version:
            newest[contract.contract_id] = contract
    rows = list(newest.values())
    await transaction.raw.execute(
        _SAVE_CONTRACTS,
        [row.contract_id for row in rows],
        [row.partner_id for row in rows],
        [row.effective_from for row in rows],
        [row.effective_until for row in rows],
        [row.version for row in rows],
    )


async def save_exposures(transaction: Transaction, exposures: Sequence[ExposureChanged]) -> None:
    """Project exposures."""
    newest: dict[str, ExposureChanged] = {}
    for exposure in exposures:
        known = newest.get(exposure.data.partner_id)
        if known is None or known.data.version < exposure.data.version:
            newest[exposure.data.partner_id] = exposure
    rows = list(newest.values())
    await transaction.raw.execute(
        _SAVE_EXPOSURES,
        [row.data.partner_id for row in rows],
        [row.data.standing == "exhausted" for row in rows],
        [row.time for row in rows],
        [row.data.version for row in rows],
    )


async def load(transaction: Transaction, partner_ids: Sequence[str] | None = None) -> dict[str, Funds]:
    """The funds of partners that have or had a contract; of all of them unless some are named."""
    found: dict[str, Funds] = {}
    for row in await transaction.raw.fetch(_LOAD, None if partner_ids is None else list(partner_ids)):
        before = found.get(row["partner_id"], Funds())
        period = Period(row["effective_from"], row["effective_until"])
        found[row["partner_id"]] = Funds((*before.contracts, period), row["is_exhausted"], row["told_at"])
    return found
