"""Who answers for a member that was merged away."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.execute("alter table member_windows add column merged_into uuid")
    op.execute("create index member_windows_merged on member_windows (merged_into) where merged_into is not null")
