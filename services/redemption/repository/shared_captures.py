"""Several redemptions that are taken in one transaction, locked with their receipts and owners by one statement."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.redemption.domain.redemption import Redemption
from services.redemption.repository.redemptions import REDEMPTION_COLUMNS, redemptions_of
from shared.database import Transaction
from shared.database.later import Write
from shared.web import Left

# Each source names the one before it: receipts are met first, in key order, then nothing is waited for. What was
# committed before the statement began tells whether there is such a redemption, what is locked how it stands.
_LOCK = f"""
    with met as (
        insert into redemption_receipts (receipt_key, refused_hashes)
        select receipt_key, '{{{{}}}}'
        from unnest($1::bytea[]) as wanted (receipt_key)
        order by receipt_key
        on conflict (receipt_key) do nothing
        returning receipt_key
    )
    select asked.receipt_key = any(meeting.made) as is_new, found.redemption_id is not null as is_there,
        redemption.*, owner.member_id as owner_id
    from (select coalesce(array_agg(receipt_key), '{{{{}}}}') as made from met) as meeting
        cross join unnest($2::uuid[], $3::text[], $4::bytea[]) with ordinality
            as asked (redemption_id, partner_id, receipt_key, ordinal)
        left join lateral (
            select redemption_id from redemptions
            where redemptions.redemption_id = asked.redemption_id and partner_id = asked.partner_id
            limit 1
        ) as found on true
        left join lateral (
            select {REDEMPTION_COLUMNS} from redemptions
            where redemptions.redemption_id = found.redemption_id and asked.receipt_key = any(meeting.made)
            limit 1
            for no key update{{skip}}
        ) as redemption on true
        left join lateral (
            select member_id from redemption_members
            where redemption_members.member_id = redemption.member_id and redemption.pooled_points = 0
            limit 1
            for no key update{{skip}}
        ) as owner on true
    order by asked.ordinal
"""
LOCK_FREE, LOCK_ALL = _LOCK.format(skip=" skip locked"), _LOCK.format(skip="")

# The rows are there, and nothing else of them changes.
SETTLE = """
    update redemptions
    set state = settled.state, open_points = settled.open_points, captured_points = settled.captured_points,
        closed_at = settled.closed_at
    from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[])
        as settled (redemption_id, state, open_points, captured_points, closed_at)
    where redemptions.redemption_id = settled.redemption_id
"""

# Rows that this transaction has made, and that nobody else has seen.
FORGET_RECEIPTS = "delete from redemption_receipts where receipt_key = any($1::bytea[])"


class Wanted(NamedTuple):
    """Which of a partner's redemptions is taken for which receipt."""

    redemption_id: UUID
    partner_id: str
    receipt_key: bytes


class MetTogether(NamedTuple):
    """Redemptions in the order in which they were asked for, and the receipts whose rows were ``made``: of those
    nobody has told anything."""

    redemptions: list[Redemption | Left]
    made: set[bytes]


async def meet_several(transaction: Transaction, wanted: Sequence[Wanted], *, waits: bool) -> MetTogether:
    """Make the receipts' rows, then lock the redemptions, then whose points they reserve, to the commit.

    ``Left.BUSY`` for one that another transaction has locked, or whose owner it has, unless it ``waits``;
    ``Left.ALONE`` for one whose receipt is known, that the partner has not, or that reserves points of others. A
    transaction that is making one of the receipts is waited for, with nothing locked but other receipts.
    """
    rows = await transaction.raw.fetch(
        LOCK_ALL if waits else LOCK_FREE,
        sorted({one.receipt_key for one in wanted}),
        [one.redemption_id for one in wanted],
        [one.partner_id for one in wanted],
        [one.receipt_key for one in wanted],
    )
    locked = [row for row in rows if row["redemption_id"] is not None and not row["pooled_points"]]
    found = {one.redemption_id: one for one in await redemptions_of(transaction, locked)}
    met = [_met(row, one, found) for row, one in zip(rows, wanted, strict=True)]
    return MetTogether(met, {one.receipt_key for one, row in zip(wanted, rows, strict=True) if row["is_new"]})


def settle_several_later(transaction: Transaction, redemptions: Collection[Redemption]) -> None:
    """Write what was taken of redemptions that this transaction has locked and that reserve nothing of others, with the
    transaction's last statement; each id at most once."""
    if redemptions:
        rows = [
            (one.redemption_id, one.state.value, one.open_points, one.captured_points, one.closed_at)
            for one in redemptions
        ]
        transaction.later.append(Write(SETTLE, list(zip(*rows, strict=True))))


def forget_receipts_later(transaction: Transaction, receipt_keys: Collection[bytes]) -> None:
    """Delete rows that this transaction has made, with its last statement."""
    if receipt_keys:
        transaction.later.append(Write(FORGET_RECEIPTS, [list(receipt_keys)]))


def _met(row: asyncpg.Record, wanted: Wanted, found: dict[UUID, Redemption]) -> Redemption | Left:
    if not (row["is_new"] and row["is_there"]):
        return Left.ALONE
    if row["redemption_id"] is None:
        return Left.BUSY
    redemption = found.get(wanted.redemption_id)
    if redemption is None or redemption.member_id is None or redemption.partner_id != wanted.partner_id:
        return Left.ALONE
    return Left.BUSY if row["owner_id"] is None else redemption
