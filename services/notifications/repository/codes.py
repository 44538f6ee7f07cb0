"""Messages with one-time codes, without the codes."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from services.notifications.domain.codes import TEMPLATE, TEMPLATE_VERSION, Challenge, ChallengeOf
from shared.database import Transaction

_FIND_KNOWN = "select challenge_id from code_messages where challenge_id = any($1::uuid[])"
# Somebody stands at a till and waits: who was to be tried a day ago is tried before any digest.
_OPEN = """
    insert into messages (message_id, member_id, template, template_version, channel, state, traceparent,
        opened_at, due_at, next_attempt_at, attempts, deferrals)
    select message_id, member_id, $4, $5, 'email', 'queued', traceparent, $6, $6, now() - interval '1 day', 0, 0
    from unnest($1::uuid[], $2::uuid[], $3::text[]) as opened (message_id, member_id, traceparent)
"""
_ADD = """
    insert into code_messages (message_id, challenge_id, kind, key_id, partner_id, point_type, points, expires_at)
    select * from unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[]
    )
"""
_LOAD = """
    select message_id, challenge_id, kind, key_id, coalesce(name, partner_id) as partner, point_type, points, expires_at
    from code_messages left join partners using (partner_id)
    where message_id = any($1::uuid[])
"""


async def find_known(transaction: Transaction, challenge_ids: Collection[UUID]) -> set[UUID]:
    """For which of these a message was opened."""
    rows = await transaction.raw.fetch(_FIND_KNOWN, list(challenge_ids))
    return {row["challenge_id"] for row in rows}


async def open_codes(transaction: Transaction, opened: Sequence[tuple[UUID, ChallengeOf]]) -> None:
    """Queue a message for each, by the message's id, before all that waits. The members' rows are locked."""
    message_ids = [message_id for message_id, _ in opened]
    members = [one.member_id for _, one in opened]
    traces = [one.traceparent for _, one in opened]
    asked = [one.challenge for _, one in opened]
    await transaction.raw.execute(_OPEN, message_ids, members, traces, TEMPLATE, TEMPLATE_VERSION, transaction.now)
    await transaction.raw.execute(
        _ADD,
        message_ids,
        [challenge.challenge_id for challenge in asked],
        [challenge.kind for challenge in asked],
        [challenge.key_id for challenge in asked],
        [challenge.partner for challenge in asked],
        [challenge.point_type for challenge in asked],
        [challenge.points for challenge in asked],
        [challenge.expires_at for challenge in asked],
    )


async def load(transaction: Transaction, message_ids: Collection[UUID]) -> Mapping[UUID, Challenge]:
    """What those of these messages ask for that bear a code; the others are absent."""
    rows = await transaction.raw.fetch(_LOAD, list(message_ids))
    return {row["message_id"]: Challenge(*list(row)[1:]) for row in rows}
