"""A checkout opens a till conversation, which quotes and holds carry. In a QR token's there is still one redemption.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tell the two kinds apart: until now all were of QR tokens."""
    op.execute("alter table redemptions add column is_session_shown boolean not null default true")
    op.execute("drop index redemptions_session")
    op.execute(
        "create unique index redemptions_session on redemptions (session_id) "
        "where session_id is not null and is_session_shown"
    )
    op.execute("alter table redemption_quotes add column session_id uuid")
