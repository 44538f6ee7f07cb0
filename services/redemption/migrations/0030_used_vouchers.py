"""Vouchers are delivered, and used at tills of their partner.

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# closed_at of one that was used is when; receipt_key is for which receipt.
STATEMENTS = (
    """
    alter table redemption_vouchers
        add column delivered_at timestamptz,
        add column channel text,
        add column receipt_key bytea,
        drop constraint redemption_vouchers_state_known,
        drop constraint redemption_vouchers_closed_at_given,
        add constraint redemption_vouchers_state_known
            check (state in ('issued', 'delivered', 'used', 'cancelled', 'expired')),
        add constraint redemption_vouchers_closed_at_given
            check ((state in ('issued', 'delivered')) = (closed_at is null)),
        add constraint redemption_vouchers_receipt_given check ((state = 'used') = (receipt_key is not null))
    """,
)


def upgrade() -> None:
    """None was used before."""
    for statement in STATEMENTS:
        op.execute(statement)
