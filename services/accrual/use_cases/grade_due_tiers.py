"""What time brings about: ends of periods, graces and grants, and new versions of the scheme."""

from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import projections, tier_standings
from services.accrual.use_cases.grade_tiers import grade_members
from shared import outbox
from shared.database import Transaction

MEMBERS_PER_PAGE_MAX = 200  # one short transaction: whoever waits for one of them waits for milliseconds


async def grade_due_tiers(transaction: Transaction, schemes: TierSchemeHistory) -> int:
    """Grade one page of those whom time has changed by now, the longest due first; how many comes back.

    Each is graded through all that is due, in order, so that an outage is caught up as if there had been none. Members
    are locked in key order and read again under the lock: another worker, or a receipt, may have been first.
    """
    scheme = schemes.at(transaction.now)
    if scheme is None:
        return 0
    due = await tier_standings.find_due(transaction, schemes.versions_but(scheme), MEMBERS_PER_PAGE_MAX)
    if not due:
        return 0
    await projections.lock_members(transaction, due)
    await outbox.record(transaction, await grade_members(transaction, dict.fromkeys(due, "time"), schemes))
    return len(due)
