"""What a waiting tender paid, and in which points: a hold that comes later may be of another type.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

COLUMNS = """
    -- Null in rows from before: then ``points`` are the programme's own.
    alter table redemption_waiting_tenders
        add column amount_minor bigint,
        add column point_type text;
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(COLUMNS)
