"""A return may take less than it should, where rules let nobody owe the rest.

Revision ID: 0035
Revises: 0034
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was to be taken and was not there."""
    op.execute(
        """
        alter table returns add column clipped bigint not null default 0
            constraint returns_clipped_not_negative check (clipped >= 0)
        """
    )
