"""Which tier members had at some moments: what rules ask when a receipt is judged."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import tier_standings
from services.accrual.repository.tier_standings import Held
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
    held, due = await _held(transaction, asked, schemes)
    told: list[Message] = []
    if due:
        told = await grade_members(transaction, dict.fromkeys(due, "time"), schemes)
        held, _ = await _held(transaction, asked, schemes)
    return held, told


async def read_tiers_at(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], schemes: TierSchemeHistory
) -> list[str | None]:
    """The same for who changes nothing: no member needs to be locked, and what is due is graded in memory alone."""
    held, due = await _held(transaction, asked, schemes)
    regraded = await regrade(transaction, dict.fromkeys(due, "time"), schemes)
    for place, (member_id, at) in enumerate(asked):
        for change in regraded[member_id].graded.changes if member_id in regraded else ():
            if change.at <= at:
                held[place] = change.new_tier
    return held


async def _held(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], schemes: TierSchemeHistory
) -> tuple[list[str | None], set[UUID]]:
    """Tiers as graded last (who never changed has the lowest, once there are tiers), and whom time has changed since.

    Nobody else needs to be graded to know: what was collected was graded when it was.
    """
    scheme = schemes.at(transaction.now)
    if not asked or schemes.is_empty:
        return [None] * len(asked), set()
    nothing = [Held()] * len(asked)
    found = await tier_standings.load_held_at(transaction, asked, scheme.version) if scheme is not None else nothing
    tiers: list[str | None] = []
    for (_, at), one in zip(asked, found, strict=True):
        scheme = schemes.at(at)
        tiers.append(None if scheme is None else one.tier or scheme.tiers[0].code)
    return tiers, {member_id for (member_id, _), one in zip(asked, found, strict=True) if one.is_due}
