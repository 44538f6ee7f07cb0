"""Gives back points that had lapsed: to lots with their own history and a new day of expiry."""

from uuid import UUID

from services.accrual.domain.adjustments import Adjustment
from services.accrual.domain.reinstatement import choose, commands_of
from services.accrual.repository import reinstatements
from services.accrual.use_cases.adjustment_messages import reinstated_message
from shared import ledger
from shared.database import Transaction
from shared.ledger import Posted
from shared.outbox import Message


async def reinstate(
    transaction: Transaction, asked: Adjustment, owner_id: UUID, decided_by: str | None
) -> tuple[Adjustment, list[Message]]:
    """Give back as many points as were asked for, or find that fewer have lapsed since the day that counts.

    The owner's row is locked, so that nothing is given back twice. What is owed is cleared first, as by every credit.
    """
    now = transaction.now
    if asked.lapsed_since is None:
        raise ValueError("a reinstatement says since when points must have lapsed")
    lapsed = await reinstatements.load_lapsed(transaction, owner_id, asked.point_type, asked.lapsed_since)
    taken = choose(lapsed, asked.points)
    if not taken:
        return asked.refused("insufficient_points", decided_by, now), []
    await reinstatements.insert(transaction, asked.adjustment_id, taken)
    outcomes = await ledger.post(
        transaction, commands_of(taken, owner_id, asked.point_type, asked.reference, asked.expires_on)
    )
    posted = [outcome for outcome in outcomes if isinstance(outcome, Posted)]
    if len(posted) != len(taken):
        raise TypeError("giving back what lapsed is never refused")
    done = asked.posted(asked.points, decided_by, now)
    return done, [reinstated_message(transaction, done, taken, posted)]
