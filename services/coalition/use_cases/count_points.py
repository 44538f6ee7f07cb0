"""Counts issued, returned, redeemed and refunded points for their partners, each effect once for ever."""

from collections.abc import Sequence

from services.coalition.domain.counting import Effect, changes_of, contract_numbers, looked_up, partners_of
from services.coalition.domain.exposure import Judged
from services.coalition.repository import contracts as contract_rows
from services.coalition.repository import exposure as rows
from services.coalition.use_cases.judge_exposure import by_partner, judge_exposures
from shared.database import Transaction


async def count_points(transaction: Transaction, effects: Sequence[Effect]) -> list[Judged]:
    """Count a batch of effects inside the caller's transaction; the partners that it changed come back, judged.

    Idempotent: an effect that was counted before, under whatever event and in whatever batch, changes nothing. Enters
    the effects, then locks the exposures, each in key order. The number of statements does not depend on the batch.
    """
    first = {effect.entry_key: effect for effect in reversed(effects)}  # of a key that stands twice, the first
    distinct = [effect for effect in effects if first[effect.entry_key] is effect]
    contracts = by_partner(await contract_rows.load_approved(transaction, partners_of(distinct)))
    numbers = contract_numbers(distinct, contracts, await rows.find_entries(transaction, looked_up(distinct)))
    entered = await rows.enter(transaction, numbers)
    fresh = [effect for effect in distinct if effect.entry_key in entered]
    if not fresh:
        return []
    changes = changes_of(fresh, numbers, contracts)
    exposures = await rows.lock_exposures(transaction, {change.partner_id for change in changes})
    await rows.add(transaction, changes)
    return await judge_exposures(transaction, exposures, contracts)
