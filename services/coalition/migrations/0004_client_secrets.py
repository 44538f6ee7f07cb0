"""An API client has two secrets for a time, while the one replaces the other."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Room for the secret that was replaced."""
    op.execute("""
        alter table api_clients
            add column previous_secret_hash text,
            add column previous_valid_until timestamptz,  -- business time
            add constraint api_clients_previous_secret_ends
                check ((previous_secret_hash is null) = (previous_valid_until is null))
    """)
