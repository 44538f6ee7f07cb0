"""Makes the tiers of two members one: the higher is kept, and what both collected counts together."""

from uuid import UUID

from services.accrual.domain.tiers.grading import next_due_at
from services.accrual.domain.tiers.joining import joined_standing
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import tier_merges, tier_standings
from services.accrual.repository.tier_standings import Row
from services.accrual.use_cases.grade_tiers import grade_members, regrade, save_regraded
from shared.database import Transaction
from shared.outbox import Message


async def merge_tiers(
    transaction: Transaction, merged_id: UUID, survivor_id: UUID, schemes: TierSchemeHistory
) -> list[Message]:
    """Fold one member into the survivor; both are locked. The events are the caller's to record, last.

    Both are graded up to now first, each by what it collected itself, so that no end of a period is missed; then the
    survivor by what both have. Idempotent: the second time there is nothing left to fold.
    """
    both = await regrade(transaction, {merged_id: "time", survivor_id: "time"}, schemes)
    is_known = merged_id in both and both[merged_id].kept.standing is not None
    told = await save_regraded(transaction, both) if is_known else []
    await tier_merges.fold(transaction, merged_id, survivor_id)
    if not is_known:
        return told
    merged, survivor = both[merged_id].graded.standing, both[survivor_id].graded.standing
    joined = joined_standing(survivor, merged, schemes.version(survivor.scheme_version))
    row = Row(survivor_id, joined, both[survivor_id].version, None, next_due_at(joined, ()))
    await tier_standings.save(transaction, [row])
    return told + await grade_members(transaction, {survivor_id: "merged"}, schemes, with_grants=True)
