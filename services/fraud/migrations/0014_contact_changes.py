"""When members' e-mail addresses last became others.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENT = "alter table member_windows add column contact_changed_at timestamptz"


def upgrade() -> None:
    """Nothing is known of before: members tells it when it republishes."""
    op.execute(STATEMENT)
