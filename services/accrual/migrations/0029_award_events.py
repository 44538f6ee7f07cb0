"""What was told of receipts whose points wait for it.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = """
    -- It may come before its receipt has been decided: both meet in the claim.
    create table award_events (
        natural_key bytea not null,
        event text not null,
        told_by text not null,
        told_at timestamptz not null,
        primary key (natural_key, event)
    );
    create index award_events_told_at on award_events (told_at);
"""


def upgrade() -> None:
    """Keep what was told."""
    op.execute(TABLES)
