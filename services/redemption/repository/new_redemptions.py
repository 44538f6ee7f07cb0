"""Redemptions that begin with a hold: their own ids are met first, and their tokens are spent once."""

from collections.abc import Collection, Mapping
from uuid import UUID

from services.redemption.repository.redemptions import MEET
from shared.database import Transaction
from shared.database.later import Write

FIND_BY_SESSIONS = """
    select shown.session_id, found.redemption_id
    from unnest($1::uuid[]) as shown (session_id)
        cross join lateral (
            select redemption_id from redemptions
            where redemptions.session_id = shown.session_id and is_session_shown
            limit 1
        ) as found
"""

# Rows that this transaction has made.
FORGET = "delete from redemptions where redemption_id = any($1::uuid[])"


async def make_redemptions(transaction: Transaction, types: Mapping[UUID, str]) -> set[UUID]:
    """Make those of these rows that are not there, as awaited; which these are. Another transaction that makes one of
    them is waited for."""
    if not types:
        return set()
    wanted = sorted(types)
    rows = await transaction.raw.fetch(MEET, wanted, [types[redemption_id] for redemption_id in wanted])
    return {row["redemption_id"] for row in rows}


def forget_redemptions_later(transaction: Transaction, redemption_ids: Collection[UUID]) -> None:
    """Delete rows that this transaction has made, with its last statement."""
    if redemption_ids:
        transaction.later.append(Write(FORGET, [list(redemption_ids)]))


async def find_by_sessions(transaction: Transaction, session_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """With which redemptions points were reserved in these QR tokens' conversations; ask under the members' locks."""
    if not session_ids:
        return {}
    return {
        row["session_id"]: row["redemption_id"]
        for row in await transaction.raw.fetch(FIND_BY_SESSIONS, list(session_ids))
    }
