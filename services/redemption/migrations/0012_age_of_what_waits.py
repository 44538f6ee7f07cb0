"""Tenders that wait for a card that nobody registers lose its hash in time.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.execute(
        "create index redemption_waiting_tenders_with_hash on redemption_waiting_tenders (waiting_since)"
        " where identifier_hash is not null"
    )
