"""Holds that are taken in parts, and what was let go of one while the rest stayed reserved.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Of what was held: what is open, what receipts took of it, what was let go.
    """
    alter table redemptions
        add column is_taken_in_parts boolean not null default false,
        add column let_go_points bigint not null default 0,
        add constraint redemptions_let_go_of_held check (let_go_points between 0 and held_points - open_points)
    """,
    "alter table redemption_captures add column let_go_before bigint not null default 0",
)


def upgrade() -> None:
    """Constant defaults: no row is written."""
    for statement in STATEMENTS:
        op.execute(statement)
