"""Gives a member a tier by hand, until a time, and takes it back."""

from datetime import datetime, timedelta
from uuid import UUID

from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.repository import tier_grants, tier_standings
from services.accrual.repository.tier_grants import GrantRow
from services.accrual.use_cases.grade_tiers import grade_members
from services.accrual.use_cases.lock_owners import lock_owners
from shared import ledger, outbox
from shared.database import Transaction
from shared.ids import new_id

OPEN_GRANTS_MAX = 20
GRANT_DURATION_MAX = timedelta(days=3_660)
# Nobody who comes back may find a tier that was given to somebody who is gone.
_GONE = frozenset({"erased", "closed"})


class NoSuchTierError(Exception):
    """The scheme in force has no such tier."""

    def __init__(self, tier: str, scheme: TierScheme) -> None:
        codes = ", ".join(scheme.ranks)
        super().__init__(f"tier: the scheme in force has no tier {tier}; it has {codes}")


class GrantEndError(Exception):
    """The grant would end before it begins, or hold for too long."""

    def __init__(self, now: datetime) -> None:
        latest = now + GRANT_DURATION_MAX
        super().__init__(f"ends_at must lie between now and {latest.date().isoformat()}")


class TooManyGrantsError(Exception):
    """The member has as many open grants as anybody may have."""

    def __init__(self) -> None:
        super().__init__(f"the member has {OPEN_GRANTS_MAX} grants that have not ended: take one back first")


async def grant_tier(
    transaction: Transaction,
    member_id: UUID,
    tier: str,
    ends_at: datetime,
    reason_code: str,
    author: str,
    schemes: TierSchemeHistory,
) -> GrantRow | None:
    """Give a member (or whoever answers for one that was merged away) a tier from now on; its change is told.

    None where the member is not known or has left, or no scheme is in force. Of what was earned nothing changes: when
    the grant ends, that holds again.

    Raises:
        NoSuchTierError: the scheme in force has no such tier.
        GrantEndError: it would end before it begins, or last longer than ``GRANT_DURATION_MAX``.
        TooManyGrantsError: there are ``OPEN_GRANTS_MAX`` already.
        StartAgainError: the member was merged away meanwhile.
    """
    owner_id = await _lock(transaction, member_id)
    scheme = schemes.at(transaction.now)
    if owner_id is None or scheme is None:
        return None
    if scheme.rank_of(tier) is None:
        raise NoSuchTierError(tier, scheme)
    if not transaction.now < ends_at <= transaction.now + GRANT_DURATION_MAX:
        raise GrantEndError(transaction.now)
    if len(await tier_grants.list_open(transaction, owner_id)) >= OPEN_GRANTS_MAX:
        raise TooManyGrantsError
    grant = GrantRow(new_id(), tier, transaction.now, ends_at, reason_code, author)
    await tier_grants.save(transaction, owner_id, grant)
    told = await grade_members(transaction, {owner_id: "granted"}, schemes, with_grants=True)
    await outbox.record(transaction, told)
    return grant


async def revoke_tier_grant(
    transaction: Transaction, member_id: UUID, grant_id: UUID, author: str, schemes: TierSchemeHistory
) -> GrantRow | None:
    """Take a grant back; None where the member has no such grant. One that has ended, or was taken back, stays so."""
    owner_id = await _lock(transaction, member_id)
    if owner_id is None or await tier_grants.find(transaction, owner_id, grant_id) is None:
        return None
    if await tier_grants.revoke(transaction, grant_id, author):
        told = await grade_members(transaction, {owner_id: "grant_revoked"}, schemes, with_grants=True)
        await outbox.record(transaction, told)
    return await tier_grants.find(transaction, owner_id, grant_id)


async def _lock(transaction: Transaction, member_id: UUID) -> UUID | None:
    survivors = await ledger.find_survivors(transaction, [member_id])
    owner_id = survivors.get(member_id, member_id)
    await lock_owners(transaction, [owner_id])
    status = (await tier_standings.load(transaction, [owner_id]))[owner_id].status
    return owner_id if status is not None and status not in _GONE else None
