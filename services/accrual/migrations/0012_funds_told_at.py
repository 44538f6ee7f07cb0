"""Of which time coalition said how a partner stands: a receipt is refused only by what was said of a later one.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FUNDS = """
    -- Null for what was projected before: nothing is refused until coalition says it again.
    alter table partner_exposures add column told_at timestamptz;

    -- f:<partner>/<microseconds since 1970>: waits to hear how its partner stood then.
    create index parked_funds on parked (waits_for) where waits_for like 'f:%';
"""


def upgrade() -> None:
    """Make room for it."""
    op.execute(FUNDS)
