"""Rewards: what points buy, the pieces that are left of it, and the vouchers that members have.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# What a reward said when a voucher was issued must be found for ever: versions are only added (APPEND_ONLY_TABLES).
# A piece is a row that whoever takes it deletes: many take at once, and none waits for another, as all would for a
# counter. pieces_added is what was added, less what was taken away, so that what is left and what was taken add up.
STATEMENTS = (
    """
    create table redemption_rewards (
        reward_id text primary key,
        version bigint not null,
        partner_id text not null,
        document jsonb not null,
        changed_at timestamptz not null,
        author text not null,
        pieces_added bigint not null default 0
            constraint redemption_rewards_pieces_not_negative check (pieces_added >= 0)
    )
    """,
    """
    create table redemption_reward_versions (
        reward_id text not null,
        version bigint not null,
        document jsonb not null,
        changed_at timestamptz not null,
        author text not null,
        primary key (reward_id, version)
    )
    """,
    """
    create table redemption_reward_pieces (
        reward_id text not null,
        piece_id bigint generated always as identity,
        primary key (reward_id, piece_id)
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
    """
    create table redemption_vouchers (
        voucher_id uuid primary key,
        reward_id text not null,
        reward_version bigint not null,
        member_id uuid not null,
        partner_id text not null,
        point_type text not null,
        points bigint not null constraint redemption_vouchers_points_positive check (points > 0),
        state text not null constraint redemption_vouchers_state_known
            check (state in ('issued', 'cancelled', 'expired')),
        issued_at timestamptz not null,
        expires_at timestamptz not null,
        client_id text not null,
        closed_at timestamptz,
        closed_by text,
        reason_code text,
        code_hash text not null,
        sealed_code text not null,
        constraint redemption_vouchers_closed_at_given check ((state = 'issued') = (closed_at is null))
    )
    """,
    "create unique index redemption_vouchers_code on redemption_vouchers (code_hash)",
    "create index redemption_vouchers_of_members on redemption_vouchers (member_id, issued_at, voucher_id)",
    "create index redemption_vouchers_due on redemption_vouchers (expires_at) where closed_at is null",
)


def upgrade() -> None:
    """Make room for them."""
    for statement in STATEMENTS:
        op.execute(statement)
