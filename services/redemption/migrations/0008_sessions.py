"""A redemption remembers the till conversation of the QR token that it began with; a conversation has one at most."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the session."""
    op.execute("alter table redemptions add column session_id uuid")
    op.execute("create unique index redemptions_session on redemptions (session_id) where session_id is not null")
