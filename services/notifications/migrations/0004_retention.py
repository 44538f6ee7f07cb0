"""How long what is kept is kept."""

from alembic import op

from shared.runtime.retention import RETENTION_DDL

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = ("create index messages_settled on messages (settled_at) where settled_at is not null",)


def upgrade() -> None:
    """Create the table, and the index that the job goes by."""
    for statement in (*RETENTION_DDL, *INDEXES):
        op.execute(statement)
