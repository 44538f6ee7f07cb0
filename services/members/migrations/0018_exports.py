"""Everything that happened to a member in households is found by the member."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.execute("create index household_changes_member_id on household_changes (member_id, changed_at, change_id)")
