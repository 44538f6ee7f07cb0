"""Shows a member's tier as of now, however far the timer has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.tiers.progress import Progress, progress_at
from services.accrual.domain.tiers.scheme import Tier, TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import Standing, holds_until
from services.accrual.repository import tier_grants
from services.accrual.repository.tier_grants import GrantRow
from services.accrual.use_cases.grade_tiers import regrade
from shared import ledger
from shared.database import Transaction


class ShownTier(NamedTuple):
    """A member's tier, how long it holds, and how far the member is."""

    member_id: UUID
    tier: Tier
    standing: Standing
    until: datetime | None
    scheme: TierScheme
    progress: Progress
    grants: Sequence[GrantRow]


async def read_tier(transaction: Transaction, member_id: UUID, schemes: TierSchemeHistory) -> ShownTier | None:
    """The tier of a member, or of whoever answers for one that was merged away. Changes nothing.

    None where the member is not known or was erased, or no scheme is in force.
    """
    survivors = await ledger.find_survivors(transaction, [member_id])
    owner_id = survivors.get(member_id, member_id)
    scheme = schemes.at(transaction.now)
    found = await regrade(transaction, {owner_id: "time"}, schemes, by_day=True)
    if scheme is None or owner_id not in found:
        return None
    kept, collected, graded = found[owner_id]
    if kept.status is None or kept.status == "erased":
        return None
    standing = graded.standing
    return ShownTier(
        owner_id,
        scheme.tiers[scheme.rank_of(standing.tier) or 0],
        standing,
        holds_until(standing, collected, scheme, transaction.now),
        scheme,
        progress_at(standing, collected, scheme, transaction.now),
        await tier_grants.list_open(transaction, owner_id),
    )
