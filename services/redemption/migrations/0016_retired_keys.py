"""Which identifier keys are retired."""

from alembic import op

from shared.database.retired_keys import RETIRED_KEYS_DDL

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    for statement in RETIRED_KEYS_DDL:
        op.execute(statement)
