"""How long what is kept is kept."""

from alembic import op

from shared.runtime.retention import RETENTION_DDL

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = ("create index cases_with_a_note on cases (closed_at) where note is not null",)


def upgrade() -> None:
    """Create the table, and the index that the job goes by."""
    for statement in (*RETENTION_DDL, *INDEXES):
        op.execute(statement)
