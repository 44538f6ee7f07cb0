"""What articles do not cost less than.

Revision ID: 0037
Revises: 0036
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# No floor: one that was taken away.
FLOORS = """
    create table redemption_price_floors (
        partner_id text collate "C" not null,
        sku text collate "C" not null,
        floor_minor bigint constraint redemption_price_floors_floor_counts check (floor_minor > 0),
        version bigint not null,
        primary key (partner_id, sku)
    )
"""


def upgrade() -> None:
    """Make room for them. Those that are there are known once the coalition is told again."""
    op.execute(FLOORS)
