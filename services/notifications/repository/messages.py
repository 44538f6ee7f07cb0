"""The queue of messages: claimed under a lease, settled or queued again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.notifications.domain.delivery import Retry, Settle
from services.notifications.domain.standing import KnownStatus
from shared.database import Transaction

_OPEN_MESSAGES = """
    insert into messages (message_id, member_id, template, template_version, channel, state, traceparent,
        opened_at, due_at, attempts, deferrals)
    select message_id, member_id, $4, $5, 'email', 'collecting', traceparent, $6, $7, 0, 0
    from unnest($1::uuid[], $2::uuid[], $3::text[]) as opened (message_id, member_id, traceparent)
"""

# Old values stand on the right: a message found in 'sending' outlived its lease, which is an unknown outcome.
_CLAIM_MESSAGES = """
    with due as (
        select message_id from messages
        where next_attempt_at <= now()
        order by next_attempt_at
        limit $1
        for no key update skip locked
    )
    update messages
    set state = 'sending', attempts = attempts + 1, next_attempt_at = now() + $2::interval,
        deferrals = deferrals + case when state = 'sending' then 1 else 0 end
    from due where messages.message_id = due.message_id
    returning messages.message_id, member_id, template, template_version, traceparent, attempts, deferrals,
        (select language from recipients where recipients.member_id = messages.member_id) as language,
        (select status from recipients where recipients.member_id = messages.member_id) as member_status
"""

_LOCK_MESSAGES = """
    select message_id from messages where message_id = any($1::uuid[]) order by message_id for no key update
"""

# What was accepted is sent, whoever says so; any other end counts only from the attempt that owns the message.
_SETTLE_MESSAGES = """
    update messages
    set state = settled.state, reason = settled.reason, reply_code = settled.reply_code, settled_at = $6,
        next_attempt_at = null
    from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::integer[])
        as settled (message_id, attempts, state, reason, reply_code)
    where messages.message_id = settled.message_id
        and messages.next_attempt_at is not null
        and (settled.state = 'sent' or messages.attempts = settled.attempts)
    returning messages.message_id
"""

_RETRY_MESSAGES = """
    update messages
    set state = 'queued', deferrals = retried.deferrals, reply_code = retried.reply_code,
        next_attempt_at = now() + retried.delay
    from unnest($1::uuid[], $2::integer[], $3::interval[], $4::integer[], $5::integer[])
        as retried (message_id, attempts, delay, deferrals, reply_code)
    where messages.message_id = retried.message_id
        and messages.state = 'sending'
        and messages.attempts = retried.attempts
"""

_LOAD_MESSAGES_OF_MEMBER = """
    select message_id, template, channel, state, reason, opened_at, due_at, settled_at
    from messages
    where member_id = $1 and ($2::uuid is null or message_id < $2)
    order by message_id desc
    limit $3
"""


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that is this sender's until its lease ends. ``attempts`` says which claim this is."""

    message_id: UUID
    member_id: UUID
    template: str
    template_version: int
    language: str | None
    member_status: KnownStatus
    traceparent: str | None
    attempts: int
    deferrals: int


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as people may see it."""

    message_id: UUID
    template: str
    channel: str
    state: str
    reason: str | None
    opened_at: datetime
    due_at: datetime
    settled_at: datetime | None


async def open_messages(
    transaction: Transaction,
    message_ids: Mapping[UUID, UUID],
    traceparents: Mapping[UUID, str | None],
    template: tuple[str, int],
    due_at: datetime,
) -> None:
    """Open an e-mail for each member in ``message_ids`` (member → message), which collects entries until it is due."""
    members, messages = list(message_ids), list(message_ids.values())
    traces = [traceparents[member_id] for member_id in members]
    await transaction.raw.execute(_OPEN_MESSAGES, messages, members, traces, *template, transaction.now, due_at)


async def claim_messages(transaction: Transaction, limit: int, lease: timedelta) -> list[ClaimedMessage]:
    """Take messages whose time has come, for the length of a lease in real time. Waits for nobody."""
    rows = await transaction.raw.fetch(_CLAIM_MESSAGES, limit, lease)
    return [
        ClaimedMessage(
            row["message_id"],
            row["member_id"],
            row["template"],
            row["template_version"],
            row["language"],
            row["member_status"],
            row["traceparent"],
            row["attempts"],
            row["deferrals"],
        )
        for row in rows
    ]


async def lock_messages(transaction: Transaction, message_ids: Collection[UUID]) -> None:
    """Lock these messages in key order: two that record the same ones would deadlock otherwise."""
    await transaction.raw.fetch(_LOCK_MESSAGES, sorted(message_ids))


async def settle_messages(transaction: Transaction, ends: Sequence[tuple[ClaimedMessage, Settle]]) -> set[UUID]:
    """End these messages; returns those that this call ended (another may have, after a lease ran out)."""
    rows = await transaction.raw.fetch(
        _SETTLE_MESSAGES,
        [message.message_id for message, _ in ends],
        [message.attempts for message, _ in ends],
        [end.state for _, end in ends],
        [end.reason for _, end in ends],
        [end.reply_code for _, end in ends],
        transaction.now,
    )
    return {row["message_id"] for row in rows}


async def retry_messages(transaction: Transaction, retries: Sequence[tuple[ClaimedMessage, Retry]]) -> None:
    """Queue these messages for another attempt, unless another sender has taken them since."""
    await transaction.raw.execute(
        _RETRY_MESSAGES,
        [message.message_id for message, _ in retries],
        [message.attempts for message, _ in retries],
        [timedelta(seconds=retry.delay_seconds) for _, retry in retries],
        [retry.deferrals for _, retry in retries],
        [retry.reply_code for _, retry in retries],
    )


async def load_messages_of_member(
    transaction: Transaction, member_id: UUID, before: UUID | None, limit: int
) -> list[StoredMessage]:
    """A member's messages, newest first, from before the given one."""
    rows = await transaction.raw.fetch(_LOAD_MESSAGES_OF_MEMBER, member_id, before, limit)
    return [StoredMessage(**dict(row)) for row in rows]
