"""Since when articles have their price floors, which are told from here on.

Revision ID: 0021
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Few articles have one: the others stand in no index and are told of nowhere.
STATEMENTS = (
    "alter table articles add column floor_version bigint not null default 0",
    "update articles set floor_version = version where price_floor_minor > 0",
    "create index articles_with_floors on articles (partner_id, sku) where floor_version > 0",
)


def upgrade() -> None:
    """Floors that were stated before are told once the coalition is told again."""
    for statement in STATEMENTS:
        op.execute(statement)
