"""The latest receipt that a counter's day holds, so that one which is decided late says so.

Revision ID: 0034
Revises: 0033
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown of what was counted before."""
    op.execute("alter table counted_days add column latest_at timestamptz")
