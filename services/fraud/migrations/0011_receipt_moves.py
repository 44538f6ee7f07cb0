"""Receipts that changed their member.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
    -- Whose a receipt is, by the last of its moves; here it waits for a purchase that is read later.
    create table receipt_moves (
        receipt_key bytea primary key,
        number bigint not null constraint receipt_moves_number_positive check (number > 0),
        member_id uuid not null,
        moved_at timestamptz not null
    );

    -- What was decided of a receipt while it was another member's; moves: how often it had been moved by then.
    create table former_decisions (
        receipt_key bytea not null,
        moves bigint not null,
        member_id uuid not null,
        action text not null,
        rule_set_version integer not null,
        outcomes jsonb not null,
        decided_at timestamptz not null,
        raised_by bytea,
        raised_at timestamptz,
        primary key (receipt_key, moves)
    );

    -- Found anew for each member whose a receipt is in turn.
    alter table decisions add column moves bigint not null default 0;
    alter table window_receipts add column moves bigint not null default 0;
    alter table signals add column moves bigint not null default 0;
    alter table signals drop constraint signals_once;
    alter table signals add constraint signals_once unique (receipt_key, rule_code, moves);
    alter table holds add column moves bigint not null default 0;
    alter table holds drop constraint holds_pkey;
    alter table holds add primary key (receipt_key, moves);
    alter table cases add column moves bigint not null default 0;
    alter table cases drop constraint cases_opened_once;
    alter table cases add constraint cases_opened_once unique (opened_by, rule_code, moves);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
