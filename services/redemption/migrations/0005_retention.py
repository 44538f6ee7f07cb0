"""How long what is kept is kept."""

from alembic import op

from shared.runtime.retention import RETENTION_DDL

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    for statement in RETENTION_DDL:
        op.execute(statement)
