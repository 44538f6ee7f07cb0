"""Who answers for a member that was merged away.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.execute("alter table redemption_members add column merged_into uuid")
    op.execute(
        "create index redemption_members_merged on redemption_members (merged_into) where merged_into is not null"
    )
