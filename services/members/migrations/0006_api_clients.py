"""API clients, projected from coalition: who was revoked, and which scopes were withdrawn."""

from alembic import op

from shared.web.known_clients import API_CLIENTS_DDL

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the projection."""
    for statement in API_CLIENTS_DDL:
        op.execute(statement)
