"""Partners' contracts and exposures, as coalition published them: a row only moves to a higher version."""

from collections.abc import Sequence

import orjson

from services.redemption.domain.partner_funds import Funds
from shared.database import Transaction
from shared.events.contracts import ContractData, ExposureData
from shared.events.versions import highest

SAVE_CONTRACTS = """
    insert into redemption_contracts (contract_id, partner_id, effective_from, effective_until, rates, version)
    select contract_id, partner_id, effective_from, effective_until, rates::jsonb, version
    from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::bigint[])
        as new (contract_id, partner_id, effective_from, effective_until, rates, version)
    order by contract_id
    on conflict (contract_id) do update
        set effective_from = excluded.effective_from, effective_until = excluded.effective_until,
            rates = excluded.rates, version = excluded.version
        where redemption_contracts.version < excluded.version
"""

SAVE_EXPOSURES = """
    insert into redemption_exposures (partner_id, is_exhausted, version)
    select *
    from unnest($1::text[], $2::boolean[], $3::bigint[])
    order by 1
    on conflict (partner_id) do update set is_exhausted = excluded.is_exhausted, version = excluded.version
        where redemption_exposures.version < excluded.version
"""

# One row, whatever is known of the partner. A contract that was ended before it began never binds.
FUNDS = """
    select
        exists (
            select from redemption_contracts
            where partner_id = {partner_id} and effective_from <= {now}
                and coalesce(effective_until > effective_from, true)
        ) as is_bound,
        contract.contract_id is not null as is_covered,
        coalesce(
            (select is_exhausted from redemption_exposures where partner_id = {partner_id}), false
        ) as is_exhausted,
        coalesce((contract.rates -> {point_type}::text ->> 0)::bigint, 1) as minimum_points,
        coalesce((contract.rates -> {point_type}::text ->> 1)::bigint, 1) as step_points,
        contract.rates -> {point_type}::text is not null as has_rate
    from (values (1)) as one left join redemption_contracts as contract
        on contract.partner_id = {partner_id} and contract.effective_from <= {now}
            and coalesce(contract.effective_until > {now}, true)
    limit 1
"""
FIND_FUNDS = FUNDS.format(partner_id="$1", now="$2", point_type="$3")


async def save_contracts(transaction: Transaction, contracts: Sequence[ContractData]) -> None:
    """Project contracts."""
    rows = highest(contracts, lambda contract: contract.contract_id)
    await transaction.raw.execute(
        SAVE_CONTRACTS,
        [row.contract_id for row in rows],
        [row.partner_id for row in rows],
        [row.effective_from for row in rows],
        [row.effective_until for row in rows],
        [_limits(row) for row in rows],
        [row.version for row in rows],
    )


async def save_exposures(transaction: Transaction, exposures: Sequence[ExposureData]) -> None:
    """Project exposures."""
    rows = highest(exposures, lambda exposure: exposure.partner_id)
    await transaction.raw.execute(
        SAVE_EXPOSURES,
        [row.partner_id for row in rows],
        [row.standing == "exhausted" for row in rows],
        [row.version for row in rows],
    )


async def find_funds(transaction: Transaction, partner_id: str, point_type: str) -> Funds:
    """What the partner's contracts say of this point type at the transaction's time."""
    row = await transaction.raw.fetchrow(FIND_FUNDS, partner_id, transaction.now, point_type)
    return Funds() if row is None else Funds(*row.values())


def _limits(contract: ContractData) -> str:
    """Least points and step by point type."""
    return orjson.dumps({rate.point_type: [rate.minimum_points, rate.step_points] for rate in contract.rates}).decode()
