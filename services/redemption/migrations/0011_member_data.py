"""What is kept of one member can be found by the member.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.execute(
        "create index redemptions_of_member on redemptions (member_id, redemption_id) where member_id is not null"
    )
    op.execute(
        "create index redemption_waiting_tenders_of_member on redemption_waiting_tenders (member_id)"
        " where member_id is not null"
    )
