"""What the void of a receipt gave back is settled, beside what returns had paid out in money before.

Revision ID: 0042
Revises: 0041
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A void gives all that is left of a capture, but for what has moved on to goods of exchanges."""
    op.execute(
        """
        update redemption_captures as capture
        set settled_points = capture.points - capture.moved_points
        where capture.settled_points + capture.moved_points < capture.points
            and exists (
                select from redemption_refunds as refund
                    join redemption_voids as void on void.void_key = refund.undone_by
                where (refund.redemption_id, refund.receipt_key) = (capture.redemption_id, capture.receipt_key)
                    and void.receipt_key = capture.receipt_key and refund.content_hash <> ''
            )
        """
    )
