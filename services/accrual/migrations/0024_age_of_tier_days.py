"""Days that count towards no tier any more are let go: they are found by their age.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows come nearly in the order of their days, so ranges of blocks are enough, and cost an award nothing."""
    op.execute("create index tier_days_day on tier_days using brin (day)")
