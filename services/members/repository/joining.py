"""Conditions of joining, and referrals."""

from uuid import UUID

import orjson

from services.members.domain.joining import NO_CONDITIONS, DeclaredConditions, JoiningConditions
from shared.database import Transaction

_NEWEST = "select version, conditions, declared_by, declared_at from joining_conditions order by version desc limit 1"
_DECLARE = """
    insert into joining_conditions (version, conditions, declared_by, declared_at)
    select coalesce(max(version), 0) + 1, $1, $2, $3 from joining_conditions
    returning version
"""
_SAVE_CODE = """
    insert into referral_codes (member_id, code) values ($1, $2) on conflict do nothing
"""
# The member's own, else one of those for whom it answers: their friends go on joining by it.
_CODE_OF = """
    select code from referral_codes join members using (member_id)
    where member_id = $1 or merged_into = $1
    order by merged_into is not null, member_id
    limit 1
"""
# The code of one that was merged away is the survivor's; who is closed or erased brings nobody any more.
_REFERRER = """
    select referrer.member_id
    from referral_codes
        join members as holder using (member_id)
        join members as referrer on referrer.member_id = coalesce(holder.merged_into, holder.member_id)
    where code = $1 and referrer.status not in ('merged', 'closed', 'erased')
"""
_SAVE_REFERRAL = "insert into referrals (member_id, referrer_id, referred_at) values ($1, $2, $3)"


async def load_conditions(transaction: Transaction) -> DeclaredConditions | None:
    """The conditions that count now; None where none were ever declared."""
    row = await transaction.raw.fetchrow(_NEWEST)
    if row is None:
        return None
    conditions = JoiningConditions.model_validate_json(row["conditions"])
    return DeclaredConditions(row["version"], conditions, row["declared_by"], row["declared_at"])


async def conditions_in_force(transaction: Transaction) -> JoiningConditions:
    """What must be true of whoever joins now."""
    declared = await load_conditions(transaction)
    return NO_CONDITIONS if declared is None else declared.conditions


async def declare_conditions(transaction: Transaction, conditions: JoiningConditions, declared_by: str) -> int:
    """Write the next version, and return its number. Two at once collide in the primary key, and one is tried again."""
    body = orjson.dumps(conditions.model_dump(mode="json")).decode()
    version: int = await transaction.raw.fetchval(_DECLARE, body, declared_by, transaction.now)
    return version


async def find_code(transaction: Transaction, member_id: UUID) -> str | None:
    """The member's referral code: its own, or that of somebody who was merged into it."""
    code: str | None = await transaction.raw.fetchval(_CODE_OF, member_id)
    return code


async def save_code(transaction: Transaction, member_id: UUID, code: str) -> None:
    """Give a member a code, unless he has one or the code is somebody's: look afterwards."""
    await transaction.raw.execute(_SAVE_CODE, member_id, code)


async def find_referrer(transaction: Transaction, code: str) -> UUID | None:
    """Whose code it is, if he may still bring somebody; of one that was merged away, the survivor."""
    referrer_id: UUID | None = await transaction.raw.fetchval(_REFERRER, code)
    return referrer_id


async def save_referral(transaction: Transaction, member_id: UUID, referrer_id: UUID) -> None:
    """Keep who brought a new member."""
    await transaction.raw.execute(_SAVE_REFERRAL, member_id, referrer_id, transaction.now)
