"""Who is written to for a member that was merged away."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.execute("alter table recipients add column merged_into uuid")
    op.execute("create index recipients_merged on recipients (merged_into) where merged_into is not null")
