"""A till may keep money of a refund for points that the member no longer has: these are not taken.

Revision ID: 0045
Revises: 0044
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Points that count as taken back, and are the member's."""
    op.execute(
        """
        alter table returns add column withheld bigint not null default 0
            constraint returns_withheld_not_negative check (withheld >= 0)
        """
    )
