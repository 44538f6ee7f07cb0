"""What is kept of one member can be found by the member.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Awards have no index by owner: every receipt would be written at a random place of it. Those that gave points are
# found through the ledger's transfers, which have one for statements; the few that gave none need their own.
TABLES = """
    create index awards_without_points on awards (owner_id, natural_key) where points = 0;
    create index returns_of_owner on returns (owner_id, natural_key);

    -- Whom the document names, where it names a member. Rows from before have none; no released version wrote any.
    alter table refusals add column owner_id uuid;
    create index refusals_of_owner on refusals (owner_id, natural_key) where owner_id is not null;
    alter table parked add column owner_id uuid;
    create index parked_of_owner on parked (owner_id, natural_key) where owner_id is not null;
"""


def upgrade() -> None:
    """Make the indexes, and name the owners of what has none."""
    op.execute(TABLES)
