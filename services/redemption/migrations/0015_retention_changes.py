"""Who changed how long data are kept, from what to what, and why."""

from alembic import op

from shared.runtime.retention import RETENTION_CHANGES_DDL

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is recorded of the time before."""
    for statement in RETENTION_CHANGES_DDL:
        op.execute(statement)
