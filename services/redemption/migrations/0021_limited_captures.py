"""What a capture took of points that are for some things alone, for when its receipt says what it was for.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Limits as the ledger writes them, each with its points, as a list in JSON; null for nearly every capture."""
    op.execute("alter table redemption_captures add column limited text")
    op.execute(
        """
        alter table redemption_exceptions
            drop constraint redemption_exceptions_kind_known,
            add constraint redemption_exceptions_kind_known check (kind in (
                'amount_mismatch', 'refused_receipt', 'other_partner', 'other_currency', 'voided_receipt',
                'void_of_other_total', 'refused_void', 'other_goods'))
        """
    )
