"""An index by which a receiver finds what others gave. No row of plain earning is in it.

Postings wait while it is built: one pass over the transfers.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the transfers that have their credit on another account."""
    op.execute("""
        create index ledger_transfers_received on ledger_transfers (credit_account_id, transfer_id)
        where credit_account_id is not null
    """)
