"""Gifts between members: each is given once, for ever, and what a member has given is limited.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# Written with the points that went, and never changed: see APPEND_ONLY_TABLES in shared/database/roles.py. Members are
# named by the ids that they had then; client_id: who asked for it.
GIFTS = """
    create table redemption_gifts (
        gift_id uuid primary key,
        giver_id uuid not null,
        receiver_id uuid not null,
        point_type text not null,
        points bigint not null constraint redemption_gifts_points_positive check (points > 0),
        given_at timestamptz not null,
        client_id text not null
    )
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(GIFTS)
    op.execute("create index redemption_gifts_given on redemption_gifts (giver_id, point_type, given_at)")
    op.execute("create index redemption_gifts_received on redemption_gifts (receiver_id)")
