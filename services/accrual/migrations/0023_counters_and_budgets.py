"""What members bought and used of caps, by day, and what campaigns have given of their budgets.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = """
    -- A counter of a member, by the day of the receipt in the zone that the counter's name says: a window is a run of
    -- days. Of bought/...: receipts and what they earned on; of a cap: receipts and points given under it.
    create table counted_days (
        member_id uuid not null,
        name text not null,
        day date not null,
        amount bigint not null,
        receipts bigint not null,
        primary key (member_id, name, day)
    ) with (fillfactor = 80);

    create table campaign_budgets (
        campaign_id text primary key,
        points_used bigint not null,
        receipts_used bigint not null,
        constraint campaign_budgets_not_negative check (points_used >= 0 and receipts_used >= 0)
    ) with (fillfactor = 50);

    -- Facts stand beside what was applied. 500 bytes are meant to be enough; more must not cost a member his points.
    alter table awards drop constraint awards_decision_is_small;
    alter table awards add constraint awards_decision_is_small check (octet_length(decision) <= 4000) not valid;

    -- A group of its partner's stores, by the partner's own code.
    alter table stores add column zone text;
"""


def upgrade() -> None:
    """Make room for counters and budgets."""
    op.execute(TABLES)
