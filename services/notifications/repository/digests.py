"""Open digests: locked by their member, filled by receipt, closed by time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.notifications.domain.digest import Award, PartnerTotal
from services.notifications.repository.messages import open_messages
from shared.database import Transaction

_ADD_RECIPIENTS = """
    insert into recipients (member_id, version, status)
    select member_id, 0, 'unknown' from unnest($1::uuid[]) as incoming (member_id)
    order by member_id
    on conflict (member_id) do nothing
"""

_LOCK_RECIPIENTS = """
    select member_id, digest_id, erased_version is not null as is_erased from recipients
    where member_id = any($1::uuid[])
    order by member_id
    for no key update
"""

_FIND_ENTRIES = "select receipt_key, part from digest_entries where receipt_key = any($1::bytea[])"

_OPEN_DIGESTS = """
    update recipients set digest_id = opened.message_id, digest_due_at = $3
    from unnest($1::uuid[], $2::uuid[]) as opened (message_id, member_id)
    where recipients.member_id = opened.member_id
"""

_ADD_ENTRIES = """
    insert into digest_entries (receipt_key, message_id, partner_id, points, debt_cleared, occurred_at, part)
    select *
    from unnest($1::bytea[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::smallint[])
    on conflict (receipt_key, part) do nothing
"""

# A recipient whose digest is being extended right now is left for the next pass, so that nobody waits here.
_CLOSE_DIGESTS = """
    with due as (
        select member_id, digest_id from recipients
        where digest_due_at <= $1
        order by digest_due_at
        limit $2
        for no key update skip locked
    ), closed as (
        update recipients set digest_id = null, digest_due_at = null
        from due where recipients.member_id = due.member_id
    )
    update messages set state = 'queued', next_attempt_at = now()
    from due where messages.message_id = due.digest_id
"""

_LOAD_TOTALS = """
    select message_id, coalesce(partners.name, entries.partner_id) as partner_name,
        count(distinct receipt_key) as receipts, sum(points)::bigint as points,
        sum(debt_cleared)::bigint as debt_cleared
    from digest_entries as entries left join partners using (partner_id)
    where message_id = any($1::uuid[])
    group by message_id, entries.partner_id, partners.name
"""


async def lock_recipients(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """Lock these members' rows in key order, made where missing; returns the digest that each has open.

    A member who was erased is absent.
    """
    ordered = sorted(member_ids)
    await transaction.raw.execute(_ADD_RECIPIENTS, ordered)
    rows = await transaction.raw.fetch(_LOCK_RECIPIENTS, ordered)
    return {row["member_id"]: row["digest_id"] for row in rows if not row["is_erased"]}


async def find_entries(transaction: Transaction, receipt_keys: Collection[bytes]) -> set[tuple[bytes, int]]:
    """Which parts of these receipts a digest has, or had, already."""
    rows = await transaction.raw.fetch(_FIND_ENTRIES, list(receipt_keys))
    return {(row["receipt_key"], row["part"]) for row in rows}


async def open_digests(
    transaction: Transaction,
    message_ids: Mapping[UUID, UUID],
    traceparents: Mapping[UUID, str | None],
    template: tuple[str, int],
    due_at: datetime,
) -> None:
    """Open one message for each member in ``message_ids`` (member → message). Their rows are locked."""
    await open_messages(transaction, message_ids, traceparents, template, due_at)
    await transaction.raw.execute(_OPEN_DIGESTS, list(message_ids.values()), list(message_ids), due_at)


async def add_entries(transaction: Transaction, awards: Sequence[Award], message_ids: Mapping[UUID, UUID]) -> None:
    """Add each award to its member's message."""
    await transaction.raw.execute(
        _ADD_ENTRIES,
        [award.receipt_key for award in awards],
        [message_ids[award.member_id] for award in awards],
        [award.partner_id for award in awards],
        [award.points for award in awards],
        [award.debt_cleared for award in awards],
        [award.occurred_at for award in awards],
        [award.part for award in awards],
    )


async def close_due_digests(transaction: Transaction, limit: int) -> int:
    """Queue the messages of digests that are due, oldest first; returns how many. Waits for nobody."""
    status = await transaction.raw.execute(_CLOSE_DIGESTS, transaction.now, limit)
    return int(status.rpartition(" ")[2])


async def load_totals(transaction: Transaction, message_ids: Collection[UUID]) -> dict[UUID, list[PartnerTotal]]:
    """What each of these messages has to say, by partner."""
    totals: dict[UUID, list[PartnerTotal]] = {message_id: [] for message_id in message_ids}
    for row in await transaction.raw.fetch(_LOAD_TOTALS, list(message_ids)):
        total = PartnerTotal(row["partner_name"], row["receipts"], row["points"], row["debt_cleared"])
        totals[row["message_id"]].append(total)
    return totals
