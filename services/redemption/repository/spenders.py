"""Who wants to spend, locked, with all that a hold must know before the ledger is asked: mostly one statement."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.redemption.domain.holding import MemberFacts
from services.redemption.domain.partner_funds import Funds
from services.redemption.repository import projections, quotes
from services.redemption.repository.partner_funds import FUNDS
from services.redemption.repository.quotes import StoredQuote
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.web import Left

_FUNDS = FUNDS.format(partner_id="$3", now="$4", point_type="$6")
_FUNDS_COLUMNS = ", ".join(f"funds.{name}" for name in Funds._fields)
# By names of their own: a member's id is among them too.
_QUOTE_COLUMNS = ", ".join(f"quote.{name} as quote_{at}" for at, name in enumerate(re.split(r",\s*", quotes.COLUMNS)))

# Whoever has a household is not locked here: those who lend are locked with it, in key order. One who joined a
# household while we waited for the row is left out too, but is locked: whoever locks a lender before it then may run
# into a deadlock, and is tried again.
LOCK_ALONE = f"""
    select {projections.SPENDER_COLUMNS}, {_FUNDS_COLUMNS}, {_QUOTE_COLUMNS}, null as floors_now
    from {projections.SPENDER_SOURCE}
        cross join lateral ({_FUNDS}) as funds
        left join redemption_quotes as quote on quote.quote_id = $7
    where {projections.IS_SPENDER} and member.household_id is null
    for no key update of member
"""
# The same where a quote is named: it is read with the floors that its articles have by now.
LOCK_ALONE_BY_QUOTE = LOCK_ALONE.replace("null as floors_now", quotes.FLOORS_NOW)
# The same of several, a row each in their order. Who it is about is found first and locked by key; what others have
# locked is passed over, or waited for where only one is asked about. Hashes hold no spaces.
_NAMED = {
    "$1": "asked.member_id",
    "$2": "string_to_array(asked.hashes, ' ')",
    "$3": "asked.partner_id",
    "$4": "$6",
    "$5": "$7",
    "$6": "asked.point_type",
    "$7": "asked.quote_id",
}
_LOCK_SEVERAL = f"""
    select found.member_id is null or found.household_id is not null as is_not_alone, locked.*
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[]) with ordinality
            as asked (member_id, hashes, partner_id, point_type, quote_id, ordinal)
        left join lateral (
            select member.member_id, member.household_id from redemption_members as member
            where {projections.IS_SPENDER}
            limit 1
        ) as found on true
        left join lateral (
            {{lock}}
        ) as locked on true
    order by asked.ordinal
"""


def _of_several(lock: str) -> str:
    lock = lock.replace(projections.IS_SPENDER, "member.member_id = found.member_id")
    statement = _LOCK_SEVERAL.format(lock=lock)
    head, unnest, tail = statement.partition(" with ordinality")
    return head + unnest + re.sub(r"\$\d", lambda found: _NAMED[found[0]], tail)


# Without and with floors; passing over and waiting.
LOCK_SEVERAL = {
    (names_quotes, waits): _of_several(lock + ("" if waits else " skip locked"))
    for names_quotes, lock in ((False, LOCK_ALONE), (True, LOCK_ALONE_BY_QUOTE))
    for waits in (False, True)
}
_SPENDER_WIDTH = 7
_FUNDS_END = _SPENDER_WIDTH + len(Funds._fields)


class LockedSpender(NamedTuple):
    """A member without a household, with what the partner's contracts say, and the quote that the hold names."""

    member: MemberFacts
    quote: StoredQuote | None


async def lock_alone(
    transaction: Transaction,
    member_id: UUID | None,
    identifier_hashes: Sequence[str],
    partner_id: str,
    point_type: str,
    quote_id: UUID | None,
    today: date,
) -> LockedSpender | None:
    """Lock the member who wants to spend, as ``projections.lock_spender`` does; None for one who has a household, is
    not known, or was erased.

    Raises:
        StartAgainError: the member was merged away while we waited for its row.
    """
    statement = LOCK_ALONE if quote_id is None else LOCK_ALONE_BY_QUOTE
    row = await transaction.raw.fetchrow(
        statement, member_id, identifier_hashes, partner_id, transaction.now, today, point_type, quote_id
    )
    member = projections.spender_of(row)
    if row is None or member is None:
        return None
    if row["merged_into"] is not None:
        raise StartAgainError("the member was merged away meanwhile")
    return _locked(member, tuple(row))


class Wanted(NamedTuple):
    """Who wants to spend where, as ``lock_alone`` is told it."""

    member_id: UUID | None
    identifier_hashes: Sequence[str]
    partner_id: str
    point_type: str
    quote_id: UUID | None


async def lock_several(
    transaction: Transaction, wanted: Sequence[Wanted], today: date, *, waits: bool
) -> list[LockedSpender | Left]:
    """The same for several, who may name one member twice, in their order. ``Left.BUSY`` for one whom another
    transaction has locked, unless it ``waits``; ``Left.ALONE`` for one with a household, or who is not known, was
    erased, or was merged away meanwhile.
    """
    rows = await transaction.raw.fetch(
        LOCK_SEVERAL[any(one.quote_id is not None for one in wanted), waits],
        [one.member_id for one in wanted],
        [" ".join(one.identifier_hashes) if one.identifier_hashes else None for one in wanted],
        [one.partner_id for one in wanted],
        [one.point_type for one in wanted],
        [one.quote_id for one in wanted],
        transaction.now,
        today,
    )
    return [_locked_or_left(row) for row in rows]


def _locked_or_left(row: asyncpg.Record) -> LockedSpender | Left:
    if row["member_id"] is None:
        return Left.ALONE if row["is_not_alone"] else Left.BUSY
    member = projections.spender_of(row)
    if member is None or row["merged_into"] is not None:
        return Left.ALONE
    return _locked(member, tuple(row)[1:])


def _locked(member: MemberFacts, values: Sequence[Any]) -> LockedSpender:
    quote = values[_FUNDS_END:]
    return LockedSpender(
        replace(member, funds=Funds(*values[_SPENDER_WIDTH:_FUNDS_END])),
        None if quote[0] is None else quotes.quote_for_hold(quote),
    )
