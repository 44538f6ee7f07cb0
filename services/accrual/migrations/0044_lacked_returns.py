"""What was not there when a return was to take it, where rules may forgive a little.

Revision ID: 0044
Revises: 0043
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Zero of all that came before: no rules forgave anything then."""
    op.execute(
        """
        alter table returns add column lacked bigint not null default 0
            constraint returns_lacked_not_negative check (lacked >= 0)
        """
    )
