"""When a member's e-mail address last became another one.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

STATEMENT = "alter table members add column contact_changed_at timestamptz"


def upgrade() -> None:
    """Nothing is known of what changed before."""
    op.execute(STATEMENT)
