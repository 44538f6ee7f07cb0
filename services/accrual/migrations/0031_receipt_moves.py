"""Receipts that were moved from one member to another.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = """
    -- For ever: the id follows from who asked under which key.
    create table receipt_moves (
        move_id uuid primary key,
        natural_key bytea not null,
        from_member_id uuid not null,
        to_member_id uuid not null,
        reason_code text not null,
        created_by text not null,
        created_at timestamptz not null,
        state text not null constraint receipt_moves_state_known check (state in ('waiting', 'moved', 'refused')),
        refusal text,
        taken_points bigint not null,
        became_debt bigint not null,
        given_points bigint not null,
        decided_by text,
        decided_at timestamptz,
        constraint receipt_moves_between_two check (from_member_id <> to_member_id),
        constraint receipt_moves_refused_for_a_reason check ((state = 'refused') = (refusal is not null)),
        constraint receipt_moves_not_negative check (taken_points >= 0 and became_debt >= 0 and given_points >= 0),
        constraint receipt_moves_second_person
            check (refusal is not distinct from 'not_approved' or decided_by <> created_by)
    ) with (fillfactor = 80);
    create index receipt_moves_listed on receipt_moves (created_at, move_id);
    create index receipt_moves_of_receipt on receipt_moves (natural_key);
    create index receipt_moves_from on receipt_moves (from_member_id);
    create index receipt_moves_to on receipt_moves (to_member_id);
    -- Whoever asks for a second move waits for what becomes of the first.
    create unique index receipt_moves_waiting on receipt_moves (natural_key) where state = 'waiting';
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
