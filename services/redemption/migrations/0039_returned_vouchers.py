"""Vouchers come back where the receipt that had used them was voided.

Revision ID: 0039
Revises: 0038
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# Of one that came back, closed_at and receipt_key still say when and for which receipt it was used.
STATEMENTS = (
    """
    alter table redemption_vouchers
        add column returned_at timestamptz,
        add column undone_by bytea,
        add column undone_hash text,
        drop constraint redemption_vouchers_state_known,
        drop constraint redemption_vouchers_receipt_given,
        add constraint redemption_vouchers_state_known
            check (state in ('reserved', 'issued', 'delivered', 'used', 'cancelled', 'expired', 'returned')),
        add constraint redemption_vouchers_receipt_given
            check ((state in ('used', 'returned')) = (receipt_key is not null)),
        add constraint redemption_vouchers_returned_whole check (
            (state = 'returned') = (returned_at is not null)
            and (returned_at is null) = (undone_by is null) and (undone_by is null) = (undone_hash is null)
        )
    """,
    "create index redemption_vouchers_receipt on redemption_vouchers (receipt_key) where receipt_key is not null",
    "create index redemption_vouchers_undone on redemption_vouchers (undone_by) where undone_by is not null",
)


def upgrade() -> None:
    """None came back before."""
    for statement in STATEMENTS:
        op.execute(statement)
