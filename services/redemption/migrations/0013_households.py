"""Households as members tells of them, and what a redemption reserves of others in its member's household.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

HOUSEHOLDS = """
    alter table redemption_members add column household_id uuid;

    -- places: who belongs to it and with which rights, in the order of joining; empty once it is dissolved.
    create table redemption_households (
        household_id uuid primary key,
        places jsonb not null,
        version bigint not null
    );

    -- Of held_points, what was others'. Their parts are in redemption_shares; the rest is the member's own.
    alter table redemptions add column pooled_points bigint not null default 0
        constraint redemptions_pooled_within_held check (pooled_points between 0 and held_points);

    -- What a redemption reserves of one other member: a hold of its own in the ledger. Written and read under the
    -- redemption's row.
    create table redemption_shares (
        redemption_id uuid not null,
        position smallint not null,
        owner_id uuid not null,
        hold_id uuid not null constraint redemption_shares_hold_unique unique,
        held_points bigint not null constraint redemption_shares_held_positive check (held_points > 0),
        open_points bigint not null constraint redemption_shares_open_not_negative check (open_points >= 0),
        captured_points bigint not null constraint redemption_shares_captured_not_negative check (captured_points >= 0),
        primary key (redemption_id, position),
        constraint redemption_shares_within_held check (open_points + captured_points <= held_points)
    );
    create index redemption_shares_of_owner on redemption_shares (owner_id, redemption_id, position);
"""


def upgrade() -> None:
    """Make room for both."""
    op.execute(HOUSEHOLDS)
