"""Receipts that came without a card, and were claimed for a member later.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = """
    -- One a receipt, for ever.
    create table receipt_claims (
        natural_key bytea primary key,
        member_id uuid not null,
        claimed_by text not null,
        claimed_at timestamptz not null
    );
    create index receipt_claims_of_member on receipt_claims (member_id, natural_key);

    -- How often somebody was wrong about the paper.
    create table receipt_proofs (
        natural_key bytea primary key,
        wrong integer not null,
        wrong_at timestamptz not null
    );
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
