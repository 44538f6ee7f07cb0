"""What points pay for, as far as points may be limited to it: partners' categories, and the goods of tenders that wait.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CATEGORIES = """
    create table redemption_categories (
        partner_id text not null,
        partner_category text not null,
        version bigint not null,
        path text[] not null,
        in_force_from timestamptz not null,
        primary key (partner_id, partner_category, version)
    )
"""

# Tenders that wait from before say nothing of their goods: points that are limited do not pay for them.
GOODS = """
    alter table redemption_waiting_tenders
        add column occurred_at timestamptz,
        add column store_id text,
        add column categories text[] not null default '{}'
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(CATEGORIES)
    op.execute(GOODS)
