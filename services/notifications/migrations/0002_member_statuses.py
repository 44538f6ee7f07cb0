"""Members' statuses as the whole registry has them.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the constraint."""
    op.execute("alter table recipients drop constraint recipients_status_known")
    op.execute(
        """
        alter table recipients add constraint recipients_status_known
            check (status in ('unknown', 'active', 'suspended', 'earn_only', 'spend_locked', 'merged', 'closed',
                'erased'))
        """
    )
