"""Gifts: a row each, for ever, so that each is given once; and what a member has given is the sum of its rows."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.gifting import Gift, GivenBefore, Since
from services.redemption.domain.standing import HIDDEN, KnownStatus
from shared.database import Transaction
from shared.database.errors import StartAgainError

# Of two transactions with the same gift one waits here for the other, before either has locked anything else.
CLAIM = """
    insert into redemption_gifts (gift_id, giver_id, receiver_id, point_type, points, given_at, client_id)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (gift_id) do nothing
    returning gift_id
"""

# Who was merged since is whoever answers for it.
FIND = """
    select gift_id, coalesce(giver.merged_into, giver_id) as giver_id,
        coalesce(receiver.merged_into, receiver_id) as receiver_id, point_type, points, client_id, given_at
    from redemption_gifts
        left join redemption_members as giver on giver.member_id = giver_id
        left join redemption_members as receiver on receiver.member_id = receiver_id
    where gift_id = $1
"""

LOCK_PARTIES = """
    select member_id, status, merged_into
    from redemption_members
    where member_id = any($1::uuid[])
    order by member_id
    for no key update
"""

# What those have given for whom the giver answers counts, but not what this transaction has claimed.
SUM_GIVEN = """
    select coalesce(sum(points) filter (where given_at >= $4), 0)::bigint as today,
        coalesce(sum(points), 0)::bigint as this_month
    from redemption_gifts
    where giver_id in (
            select $1::uuid
            union all
            select member_id from redemption_members where merged_into = $1
        )
        and point_type = $2 and given_at >= $5 and gift_id <> $3
"""


class Parties(NamedTuple):
    """The statuses of giver and receiver, whose rows are locked; None for one who is not known, or erased."""

    giver: KnownStatus | None
    receiver: KnownStatus | None


async def claim_gift(transaction: Transaction, gift: Gift) -> bool:
    """Write the gift, to be kept if the transaction commits; False where its id is there already, of whatever gift."""
    claimed = await transaction.raw.fetchval(
        CLAIM,
        gift.gift_id,
        gift.giver_id,
        gift.receiver_id,
        gift.point_type,
        gift.points,
        gift.given_at,
        gift.client_id,
    )
    return claimed is not None


async def find_gift(transaction: Transaction, gift_id: UUID) -> Gift | None:
    """The gift of this id, between those who answer for its two by now."""
    row = await transaction.raw.fetchrow(FIND, gift_id)
    return None if row is None else Gift(**dict(row))


async def lock_parties(transaction: Transaction, giver_id: UUID, receiver_id: UUID) -> Parties:
    """Lock both members' rows in key order to the commit.

    Raises:
        StartAgainError: one of them was merged away while we waited for its row.
    """
    rows = await transaction.raw.fetch(LOCK_PARTIES, sorted({giver_id, receiver_id}))
    if any(row["merged_into"] is not None for row in rows):
        raise StartAgainError("a party of the gift was merged away meanwhile")
    statuses: Mapping[UUID, KnownStatus] = {
        row["member_id"]: row["status"] for row in rows if row["status"] not in HIDDEN
    }
    return Parties(statuses.get(giver_id), statuses.get(receiver_id))


async def sum_given(transaction: Transaction, gift: Gift, since: Since) -> GivenBefore:
    """What the giver, whose row is locked, has given of the type before this gift."""
    row = await transaction.raw.fetchrow(
        SUM_GIVEN, gift.giver_id, gift.point_type, gift.gift_id, since.day, since.month
    )
    if row is None:
        raise AssertionError("unreachable: sums without a group always give a row")
    return GivenBefore(row["today"], row["this_month"])
