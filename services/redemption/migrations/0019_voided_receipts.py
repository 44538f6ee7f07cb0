"""A receipt that was voided pays nothing more, and what it has taken already is a matter for a person.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The natural key of the void; the kinds of exceptions gain one."""
    op.execute("alter table redemption_receipts add column voided_by bytea")
    op.execute(
        """
        alter table redemption_exceptions
            drop constraint redemption_exceptions_kind_known,
            add constraint redemption_exceptions_kind_known check (kind in (
                'amount_mismatch', 'refused_receipt', 'other_partner', 'other_currency', 'voided_receipt'))
        """
    )
