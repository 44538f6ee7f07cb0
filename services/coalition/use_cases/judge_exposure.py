"""Works out where partners stand, and tells of it: at once where a threshold was crossed, else once a second."""

from collections.abc import Sequence
from datetime import datetime

from services.coalition.domain.contracts import Contract
from services.coalition.domain.counting import ContractsOf
from services.coalition.domain.exposure import Exposure, Judged, PointSums, Position, judge, position_of
from services.coalition.domain.top_ups import Paid
from services.coalition.repository import contracts as contract_rows
from services.coalition.repository import exposure as rows
from services.coalition.repository import top_ups
from services.coalition.use_cases.exposure_events import exposure_messages
from shared import outbox
from shared.database import Transaction
from shared.money import currency_exponent


async def judge_exposures(
    transaction: Transaction, exposures: Sequence[Exposure], contracts: ContractsOf
) -> list[Judged]:
    """Judge locked exposures by their sums and payments as this transaction sees them; save, and record the events.

    The last statements of an effect's transaction. A partner's exposure is judged at a time that never goes back.
    """
    partner_ids = [exposure.partner_id for exposure in exposures]
    sums = await rows.load_sums(transaction, partner_ids)
    paid = await top_ups.load_paid(transaction, partner_ids)
    judged = []
    for exposure in exposures:
        partner_id = exposure.partner_id
        # Who waited for the lock may have begun before whoever held it: a contract that has begun does not unbegin.
        now = max(transaction.now, exposure.reviewed_at or transaction.now)
        position = position_now(
            contracts.get(partner_id, ()), sums.get(partner_id, ()), paid.get(partner_id, Paid()), now
        )
        judged.append(judge(exposure, position, now))
    await rows.save_exposures(transaction, [each.exposure for each in judged])
    await outbox.record(
        transaction,
        [
            message
            for each in judged
            for message in exposure_messages(transaction, each, sums.get(each.exposure.partner_id, ()))
        ],
    )
    return judged


async def review_exposures(transaction: Transaction) -> list[Judged]:
    """Tell of partners whose sums moved on since they were last told of, and of those whose contract began or ended.

    That one is exhausted is told again, every ``EXHAUSTED_TOLD_AGAIN``, for as long as it is: accrual refuses receipts
    by what was told of a time after they came. A page of partners; call it until nothing comes back. Idempotent: who
    was just told of is not due.
    """
    due = await rows.find_due(transaction, transaction.now)
    if not due:
        return []
    locked = await rows.lock_exposures(transaction, due)
    # Another worker's pass may have told of some while this one waited for the lock.
    still_due = frozenset(await rows.find_due(transaction, transaction.now))
    exposures = [exposure for exposure in locked if exposure.partner_id in still_due]
    if not exposures:
        return []
    contracts = by_partner(await contract_rows.load_approved(transaction, due))
    return await judge_exposures(transaction, exposures, contracts)


def position_now(contracts: Sequence[Contract], sums: Sequence[PointSums], paid: Paid, now: datetime) -> Position:
    """Where a partner stands, from what was read of it."""
    currencies = {contract.terms.currency for contract in contracts} | ({paid.currency} if paid.currency else set())
    exponents = {currency: currency_exponent(currency) for currency in currencies}
    return position_of(contracts, sums, paid.amount_minor, paid.currency, exponents, now)


def by_partner(contracts: Sequence[Contract]) -> dict[str, list[Contract]]:
    """Contracts by whose they are."""
    found: dict[str, list[Contract]] = {}
    for contract in contracts:
        found.setdefault(contract.partner_id, []).append(contract)
    return found
