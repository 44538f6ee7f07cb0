"""Leavings of households: a row each, for ever, so that each is settled once."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.redemption.domain.leaving import Known, Leaving, Outcome
from shared.database import Transaction

# Of two transactions with the same leaving one waits here for the other, before either has locked anything else.
# What is claimed has given nothing yet.
CLAIM_LEAVINGS = """
    insert into redemption_household_leavings (
        household_id, member_id, version, heir_id, left_at, settled_at, outcome, points
    )
    select household_id, member_id, version, heir_id, left_at, $6, 'nothing_left', 0
    from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::timestamptz[])
        as leaving (household_id, member_id, version, heir_id, left_at)
    order by household_id, member_id, version
    on conflict (household_id, member_id, version) do nothing
    returning household_id, member_id, version
"""

SAVE_OUTCOME = """
    update redemption_household_leavings set outcome = $4, points = $5
    where household_id = $1 and member_id = $2 and version = $3
"""

FIND_KNOWN = "select member_id, status, version from redemption_members where member_id = any($1::uuid[])"


async def claim_leavings(transaction: Transaction, leavings: Collection[Leaving]) -> list[Leaving]:
    """Those of these leavings that nobody has settled, in the order of households and their versions."""
    rows = await transaction.raw.fetch(
        CLAIM_LEAVINGS,
        [leaving.household_id for leaving in leavings],
        [leaving.member_id for leaving in leavings],
        [leaving.version for leaving in leavings],
        [leaving.heir_id for leaving in leavings],
        [leaving.left_at for leaving in leavings],
        transaction.now,
    )
    news = {(row["household_id"], row["member_id"], row["version"]) for row in rows}
    fresh = {leaving for leaving in leavings if (leaving.household_id, leaving.member_id, leaving.version) in news}
    return sorted(fresh)


async def save_outcome(transaction: Transaction, leaving: Leaving, outcome: Outcome, points: int) -> None:
    """Say of a claimed leaving how it was settled."""
    await transaction.raw.execute(
        SAVE_OUTCOME, leaving.household_id, leaving.member_id, leaving.version, outcome, points
    )


async def find_known(transaction: Transaction, member_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """What has been heard of members whose rows are locked."""
    rows = await transaction.raw.fetch(FIND_KNOWN, member_ids)
    return {row["member_id"]: Known(row["status"], row["version"]) for row in rows}
