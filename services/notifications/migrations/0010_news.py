"""What members are told beside what receipts earn: tiers, what expires, what people gave or took, what is owed.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
    alter table recipients
        add column news_id uuid,
        add column news_due_at timestamptz,
        add constraint recipients_news_have_their_time check ((news_id is null) = (news_due_at is null));
    create index recipients_news_due on recipients (news_due_at) where news_due_at is not null;

    -- One row an event of loyalty.points that was news, kept as long as its message: so a replay tells nothing twice.
    create table news_entries (
        event_id uuid primary key,
        message_id uuid not null references messages,
        kind text not null,
        points bigint not null constraint news_entries_points_not_negative check (points >= 0),
        name text,
        last_day date,
        occurred_at timestamptz not null
    );
    create index news_entries_of_message on news_entries (message_id);
"""


def upgrade() -> None:
    """Make room for news."""
    op.execute(TABLES)
