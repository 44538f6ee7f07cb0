"""What redemptions reserve of others in a household. Whoever has locked a redemption may write its shares."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.redemption.domain.redemption import Redemption, Share
from shared.database import Transaction
from shared.database.later import Write

LOAD_SHARES = """
    select redemption_id, owner_id, hold_id, held_points, open_points, captured_points
    from redemption_shares
    where redemption_id = any($1::uuid[])
    order by redemption_id, position
"""

SAVE_SHARES = """
    insert into redemption_shares (
        redemption_id, position, owner_id, hold_id, held_points, open_points, captured_points
    )
    select *
    from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[])
    order by 1, 2
    on conflict (redemption_id, position) do update
        set open_points = excluded.open_points, captured_points = excluded.captured_points
"""


async def load_shares(transaction: Transaction, redemption_ids: Collection[UUID]) -> dict[UUID, tuple[Share, ...]]:
    """The shares of these redemptions, in the order of spending; redemptions without any are absent."""
    found: dict[UUID, list[Share]] = {}
    for redemption_id, *share in await transaction.raw.fetch(LOAD_SHARES, list(redemption_ids)):
        found.setdefault(redemption_id, []).append(Share(*share))
    return {redemption_id: tuple(shares) for redemption_id, shares in found.items()}


async def save_shares(transaction: Transaction, redemptions: Sequence[Redemption]) -> None:
    """Write the shares of redemptions that are new or locked by this transaction."""
    if rows := _rows(redemptions):
        await transaction.raw.execute(SAVE_SHARES, *zip(*rows, strict=True))


def save_shares_later(transaction: Transaction, redemptions: Sequence[Redemption]) -> None:
    """Write the shares of redemptions that are new or locked, with the transaction's last statement."""
    if rows := _rows(redemptions):
        transaction.later.append(Write(SAVE_SHARES, list(zip(*rows, strict=True))))


def _rows(redemptions: Sequence[Redemption]) -> list[tuple[object, ...]]:
    return [
        (redemption.redemption_id, position, *_columns(share))
        for redemption in redemptions
        for position, share in enumerate(redemption.shares)
    ]


def _columns(share: Share) -> tuple[UUID, UUID, int, int, int]:
    return share.owner_id, share.hold_id, share.held_points, share.open_points, share.captured_points
