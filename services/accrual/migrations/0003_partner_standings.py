"""Every standing of every partner, so that a receipt is judged by the one of its own time.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Rows are added, never changed. What was projected before counted without an end on either side.
PARTNER_STANDINGS = """
    create table partner_standings (
        partner_id text not null,
        version bigint not null,
        kind text not null,
        state text not null,
        in_force_from timestamptz not null,
        last_earn_on date,
        returns_until date,
        primary key (partner_id, version)
    );
    insert into partner_standings (partner_id, version, kind, state, in_force_from)
    select partner_id, version, 'both', state, '1970-01-01T00:00:00Z' from partners;
"""


def upgrade() -> None:
    """Keep standings beside partners."""
    op.execute(PARTNER_STANDINGS)
