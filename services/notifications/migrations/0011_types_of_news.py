"""Of which points news are; null: the programme's own.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.execute("alter table news_entries add column point_type text")
