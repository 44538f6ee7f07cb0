"""Members who were erased: nothing is kept of their records that cannot be handled."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tombstones: ids that are nobody's any more."""
    op.execute("create table erased_members (member_id uuid primary key)")
