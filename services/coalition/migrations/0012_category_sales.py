"""What partners sold of each of their own categories.

Revision ID: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# fillfactor: a row is written with nearly every batch, and is small.
CATEGORY_SALES = """
    create table category_sales (
        partner_id text collate "C" not null,
        partner_category text collate "C" not null,
        lines bigint not null,
        amount_minor bigint not null,
        last_sold_on date not null,
        primary key (partner_id, partner_category)
    ) with (fillfactor = 50)
"""


def upgrade() -> None:
    """Sales count from the first receipt that is ticked off after this."""
    op.execute(CATEGORY_SALES)
