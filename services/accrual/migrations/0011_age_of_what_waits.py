"""How long hashes have waited: what waits for a card that nobody registers is let go.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
    create index parked_with_hash on parked (parked_at) where identifier_hash is not null;

    -- A row is laid anew by whoever needs it: its age says nothing but that it may go.
    alter table meeting_rows add column laid_at timestamptz not null default now();
    alter table meeting_rows alter column laid_at drop default;
    create index meeting_rows_laid on meeting_rows (laid_at);
"""


def upgrade() -> None:
    """Make room for it."""
    op.execute(TABLES)
