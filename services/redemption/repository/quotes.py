"""Quotes as they were given: a hold names one, and is priced by it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from services.redemption.domain.write_off.quoting import Checkout
from shared.database import Transaction

_CHECKOUTS = TypeAdapter(Checkout)

SAVE = """
    insert into redemption_quotes (
        quote_id, member_id, partner_id, rule_set_version, checkout, points, value_minor, quoted_at, expires_at,
        session_id
    )
    values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10)
"""
COLUMNS = """quote_id, member_id, partner_id, rule_set_version, checkout::text, points, value_minor, expires_at,
    session_id"""
# Of its articles those that have a floor by now; where its partner has none at all, its lines are not even read. limit,
# order: all are found by their key, whatever the planner believes of how many there are.
FLOORS_NOW = """(
        select jsonb_object_agg(line ->> 'sku', article.floor_minor)::text
        from jsonb_array_elements(
                case when (
                    select true from redemption_price_floors as known
                    where known.partner_id = quote.partner_id order by known.sku limit 1
                ) then quote.checkout -> 'lines' end
            ) as line
            cross join lateral (
                select floor_minor from redemption_price_floors as floor
                where floor.partner_id = quote.partner_id and floor.sku = line ->> 'sku'
                limit 1
            ) as article
        where article.floor_minor is not null
    ) as floors_now"""
FIND = f"select {COLUMNS}, {FLOORS_NOW} from redemption_quotes as quote where quote_id = $1"
FIND_OF_REDEMPTIONS = f"""
    select {COLUMNS}, redemption_id, held_points
    from (select redemption_id, held_points, quote_id from redemptions where redemption_id = any($1::uuid[])) as held
        join redemption_quotes using (quote_id)
"""
DELETE_OF_MEMBERS = "delete from redemption_quotes where member_id = any($1::uuid[])"
# A hold that names one at this very moment keeps its price, and loses no more than its shares by line: goods that come
# back are then divided in proportion.
FORGET_UNUSED = """
    with page as (
        select quote_id, quoted_at from redemption_quotes
        where quoted_at < $3 and ($1::timestamptz is null or (quoted_at, quote_id) > ($1, $2))
        order by quoted_at, quote_id
        limit $4
    ), gone as (
        delete from redemption_quotes as quote
        using page
        where quote.quote_id = page.quote_id
            and not exists (select from redemptions as held where held.quote_id = page.quote_id)
        returning quote.quote_id
    ), last as (select quoted_at, quote_id from page order by quoted_at desc, quote_id desc limit 1)
    select (select count(*) from page) as seen, (select count(*) from gone) as forgotten, last.quoted_at, last.quote_id
    from (values (1)) as one left join last on true
"""
FIND_SINCE = "select enrolled_at, tier from redemption_members where member_id = $1"


class StoredQuote(NamedTuple):
    """A quote, whose it is, until when it holds, and in which till conversation it was given.

    ``floors_now``: what units of its articles do not cost less than by now, where a hold asks for it.
    """

    quote_id: UUID
    member_id: UUID
    partner_id: str
    rule_set_version: int
    checkout: Checkout
    points: int
    value_minor: int
    expires_at: datetime
    session_id: UUID | None = None
    floors_now: Mapping[str, int] | None = None


class Since(NamedTuple):
    """Since when somebody is a member, where it is known, and in which tier; the lowest one is not always told of."""

    enrolled_at: datetime | None = None
    tier: str | None = None


class Passed(NamedTuple):
    """The place up to which quotes were gone through."""

    quoted_at: datetime
    quote_id: UUID


class ForgottenPage(NamedTuple):
    """How many quotes a page had, how many of them are forgotten, and where it ended."""

    seen: int
    forgotten: int
    passed: Passed | None


async def save(transaction: Transaction, quote: StoredQuote) -> None:
    """Keep a quote."""
    await transaction.raw.execute(
        SAVE,
        quote.quote_id,
        quote.member_id,
        quote.partner_id,
        quote.rule_set_version,
        _CHECKOUTS.dump_json(quote.checkout).decode(),
        quote.points,
        quote.value_minor,
        transaction.now,
        quote.expires_at,
        quote.session_id,
    )


async def find(transaction: Transaction, quote_id: UUID) -> StoredQuote | None:
    """The quote with this id; None where none was given, or it was forgotten since."""
    row = await transaction.raw.fetchrow(FIND, quote_id)
    return None if row is None else quote_for_hold(row)


def quote_of(columns: Iterable[Any]) -> StoredQuote:
    """From values in the order of ``COLUMNS``."""
    quote_id, member_id, partner_id, version, checkout, *rest = columns
    return StoredQuote(quote_id, member_id, partner_id, version, _CHECKOUTS.validate_json(checkout), *rest)


def quote_for_hold(columns: Iterable[Any]) -> StoredQuote:
    """From values in the order of ``COLUMNS`` and ``FLOORS_NOW``."""
    *said, floors_now = columns
    return quote_of(said)._replace(floors_now={} if floors_now is None else orjson.loads(floors_now))


async def find_of_redemptions(
    transaction: Transaction, redemption_ids: Collection[UUID]
) -> list[tuple[UUID, int, StoredQuote]]:
    """Of these redemptions those that a quote has priced which is still kept, with what they held, and the quote."""
    rows = await transaction.raw.fetch(FIND_OF_REDEMPTIONS, list(redemption_ids))
    return [(row["redemption_id"], row["held_points"], quote_of(tuple(row)[:-2])) for row in rows]


async def delete_of_members(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget the quotes of members who are erased."""
    await transaction.raw.execute(DELETE_OF_MEMBERS, list(member_ids))


async def forget_unused(
    transaction: Transaction, after: Passed | None, before: datetime, rows_max: int
) -> ForgottenPage:
    """Forget, of the next quotes that were given before then, those that no hold has named."""
    row = await transaction.raw.fetchrow(FORGET_UNUSED, *(after or (None, None)), before, rows_max)
    if row is None:
        raise AssertionError("unreachable: it always gives a row")
    passed = None if row["quote_id"] is None else Passed(row["quoted_at"], row["quote_id"])
    return ForgottenPage(row["seen"], row["forgotten"], passed)


async def find_since(transaction: Transaction, member_id: UUID) -> Since:
    """Since when somebody is a member, and in which tier."""
    row = await transaction.raw.fetchrow(FIND_SINCE, member_id)
    return Since() if row is None else Since(row["enrolled_at"], row["tier"])
