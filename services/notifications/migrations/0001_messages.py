"""Recipients, partners' names, messages, and the entries of digests.

Revision ID: 0001
"""

from alembic import op

from shared.database.read_to import READ_TO_DDL
from shared.outbox.ddl import OUTBOX_DDL
from shared.runtime.dead_letters import DEAD_LETTERS_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROJECTIONS = (
    """
    -- A member as messages see him: whoever opens, extends or closes his digest locks this row first.
    -- Version 0 is a member whose enrolment has not been read yet, though points of his have.
    create table recipients (
        member_id uuid primary key,
        version bigint not null,
        status text not null
            constraint recipients_status_known check (status in ('unknown', 'active', 'suspended', 'closed')),
        language text,
        digest_id uuid,
        digest_due_at timestamptz,
        constraint recipients_digest_has_its_time check ((digest_id is null) = (digest_due_at is null)),
        constraint recipients_version_not_negative check (version >= 0)
    ) with (fillfactor = 80)
    """,
    """
    create index recipients_digest_due on recipients (digest_due_at) where digest_due_at is not null
    """,
    """
    create table partners (
        partner_id text primary key,
        version bigint not null,
        name text not null
    )
    """,
)

MESSAGES = (
    """
    -- Who was told what. No address: it is read from the registry when a message is sent, and forgotten.
    -- opened_at, due_at and settled_at are business time. next_attempt_at is real time: when a queued message may be
    -- taken, and when the lease of one that is being sent ends.
    create table messages (
        message_id uuid primary key,
        member_id uuid not null,
        template text not null,
        template_version integer not null,
        channel text not null constraint messages_channel_known check (channel in ('email')),
        state text not null constraint messages_state_known
            check (state in ('collecting', 'queued', 'sending', 'sent', 'failed', 'suppressed')),
        reason text,
        reply_code integer,
        traceparent text,
        opened_at timestamptz not null,
        due_at timestamptz not null,
        settled_at timestamptz,
        next_attempt_at timestamptz,
        attempts integer not null constraint messages_attempts_not_negative check (attempts >= 0),
        deferrals integer not null constraint messages_deferrals_not_negative check (deferrals >= 0),
        constraint messages_settled_has_its_time
            check ((settled_at is not null) = (state in ('sent', 'failed', 'suppressed'))),
        constraint messages_queued_has_its_time
            check ((next_attempt_at is not null) = (state in ('queued', 'sending')))
    ) with (fillfactor = 70)
    """,
    """
    create index messages_to_send on messages (next_attempt_at) where next_attempt_at is not null
    """,
    """
    create index messages_of_member on messages (member_id, message_id)
    """,
    """
    -- One row a receipt, kept for good: that is what makes a replay of the topic tell nobody anything twice.
    create table digest_entries (
        receipt_key bytea primary key,
        message_id uuid not null references messages,
        partner_id text not null,
        points bigint not null constraint digest_entries_points_positive check (points > 0),
        debt_cleared bigint not null constraint digest_entries_debt_not_negative check (debt_cleared >= 0),
        occurred_at timestamptz not null
    )
    """,
    """
    create index digest_entries_of_message on digest_entries (message_id)
    """,
)


def upgrade() -> None:
    """Create everything that notifications owns today."""
    for statement in (*PROJECTIONS, *MESSAGES, *OUTBOX_DDL, *READ_TO_DDL, *DEAD_LETTERS_DDL):
        op.execute(statement)
