"""Every standing of every partner: what takes effect later stands beside what counts until then.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Rows are added, never changed. What was projected before counted without an end on either side.
PARTNER_STANDINGS = """
    create table redemption_partner_standings (
        partner_id text not null,
        version bigint not null,
        kind text not null,
        state text not null,
        in_force_from timestamptz not null,
        last_spend_on date,
        primary key (partner_id, version)
    );
    insert into redemption_partner_standings (partner_id, version, kind, state, in_force_from)
    select partner_id, version, 'both', state, '1970-01-01T00:00:00Z' from redemption_partners;
"""


def upgrade() -> None:
    """Keep standings beside partners."""
    op.execute(PARTNER_STANDINGS)
