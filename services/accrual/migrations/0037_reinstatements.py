"""Points that lapsed and are given back, and debts that are written off: adjustments of their own kinds.

Revision ID: 0037
Revises: 0036
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

CHANGES = """
    -- lapsed_since: the first day of expiry whose points may be given back, as of when it was asked.
    alter table adjustments add column act text not null default 'adjust'
        constraint adjustments_act_known check (act in ('adjust', 'reinstate', 'write_off'));
    alter table adjustments add column lapsed_since date;
    alter table adjustments add constraint adjustments_lapsed_since_a_day
        check ((act = 'reinstate') = (lapsed_since is not null));
    alter table adjustments add constraint adjustments_files_only_adjust check (act = 'adjust' or file_id is null);
    alter table adjustments drop constraint adjustments_posted_as_asked;
    alter table adjustments add constraint adjustments_posted_as_asked check (
        case when state <> 'posted' then posted_points = 0
        when act = 'write_off' then posted_points between 1 and points
        else posted_points = points or (is_clipped and posted_points between points and 0) end);

    -- Which lots were given back of, so that nothing is given back twice. The account is the ledger's.
    create table reinstated_lots (
        adjustment_id uuid not null,
        account_id bigint not null,
        lot_key bytea not null,
        points bigint not null constraint reinstated_lots_positive check (points > 0),
        primary key (adjustment_id, account_id, lot_key)
    );
    create index reinstated_lots_of_account on reinstated_lots (account_id, lot_key);
"""


def upgrade() -> None:
    """Let both be asked for."""
    op.execute(CHANGES)
