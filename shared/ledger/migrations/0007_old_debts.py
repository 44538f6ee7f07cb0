"""An index by which what is owed for long is found. No debt that is paid is in it.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the debts that have anything left."""
    op.execute("create index ledger_debts_owed on ledger_debts (owed_since) where owed > 0")
