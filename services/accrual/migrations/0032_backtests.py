"""Backtests: what is to be judged again, how far that has come, and what came of it.

Revision ID: 0032
Revises: 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TABLES = """
    -- The rule set is kept as it stood when the backtest was asked for: a draft changes. lease_until is real time; who
    -- runs it writes under its epoch, and no other.
    create table backtests (
        backtest_id uuid primary key,
        state text not null
            constraint backtests_state_known check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
        request jsonb not null,
        rule_set jsonb not null,
        created_by text not null,
        created_at timestamptz not null,
        started_at timestamptz,
        ended_at timestamptz,
        ended_by text,
        receipts_read bigint not null,
        receipts_expected bigint,
        failure text,
        epoch bigint not null,
        attempts integer not null,
        lease_until timestamptz,
        report bytea,
        constraint backtests_ended check ((ended_at is null) = (state in ('queued', 'running'))),
        constraint backtests_report_when_done check ((report is not null) = (state = 'done'))
    );
    create index backtests_newest on backtests (created_at desc, backtest_id desc);
    create index backtests_to_run on backtests (created_at, backtest_id) where state in ('queued', 'running');

    -- Returns are read in the order in which they were decided, as documents are.
    create index returns_decided_at on returns (decided_at);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
