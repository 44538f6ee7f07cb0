"""Which tier members had at some moments: what rules ask when a receipt is judged."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import tier_standings
from services.accrual.use_cases.grade_tiers import grade_members, regrade
from shared.database import Transaction
from shared.outbox import Message


async def load_tiers_at(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], schemes: TierSchemeHistory
) -> tuple[list[str | None], list[Message]]:
    """The tier of each locked member at each moment, in the given order; None where no scheme was in force.

    Members whom time has changed are graded first, so that the answer does not depend on how far the timer has come;
    the events of that come back with it, to be recorded last. The tier at a moment stays what it was: a receipt that
    comes late changes what is in force from now on, not what was.
    """
    if not asked or schemes.is_empty:
        return [None] * len(asked), []
    told = await grade_members(transaction, dict.fromkeys((member_id for member_id, _ in asked), "time"), schemes)
    return await _as_graded(transaction, asked, schemes), told


async def read_tiers_at(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], schemes: TierSchemeHistory
) -> list[str | None]:
    """The same for who changes nothing: no member needs to be locked, and what is due is graded in memory alone."""
    if not asked or schemes.is_empty:
        return [None] * len(asked)
    regraded = await regrade(transaction, dict.fromkeys((member_id for member_id, _ in asked), "time"), schemes)
    tiers = await _as_graded(transaction, asked, schemes)
    for place, (member_id, at) in enumerate(asked):
        for change in regraded[member_id].graded.changes if member_id in regraded else ():
            if change.at <= at:
                tiers[place] = change.new_tier
    return tiers


async def _as_graded(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], schemes: TierSchemeHistory
) -> list[str | None]:
    """As graded last: who never changed has the lowest tier, once there are tiers."""
    found = await tier_standings.load_tiers_at(transaction, asked)
    tiers: list[str | None] = []
    for (_, at), tier in zip(asked, found, strict=True):
        scheme = schemes.at(at)
        tiers.append(None if scheme is None else tier or scheme.tiers[0].code)
    return tiers
