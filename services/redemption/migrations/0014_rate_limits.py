"""The limits that API clients have of their own."""

from alembic import op

from shared.web.known_clients import RATE_LIMITS_DDL

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has one yet."""
    for statement in RATE_LIMITS_DDL:
        op.execute(statement)
