"""What awards are made of, where they are more than one lot whose points wait for nothing.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLES = """
    -- How many parts stand in award_parts. Null: the award is one lot by itself, as nearly all are.
    alter table awards add column parts smallint constraint awards_parts_positive check (parts > 0);

    -- Points of one type with one lot's terms, all of them, as they were earned: issuer, basis, days, funding and
    -- limits as the ledger writes them. Whose they are says the award.
    -- waits_until: the first day on which they do not wait any more; waits_for: an event that may come before. Once
    -- that has released them, their lot has the days that released_from and released_expires_on say. expiry: how long
    -- they last from then, where that is counted from the release.
    create table award_parts (
        natural_key bytea not null,
        number smallint not null,
        point_type text not null,
        points bigint not null constraint award_parts_points_positive check (points > 0),
        taken_back bigint not null constraint award_parts_taken_back_not_negative check (taken_back >= 0),
        issuer text not null,
        basis text not null,
        available_from date not null,
        expires_on date,
        funding text,
        limits text,
        waits_until date,
        waits_for text,
        lapses boolean not null,
        expiry text,
        state text not null
            constraint award_parts_state_known check (state in ('earned', 'pending', 'held', 'released', 'lapsed')),
        released_from date,
        released_expires_on date,
        primary key (natural_key, number),
        constraint award_parts_taken_back_within_points check (taken_back <= points),
        constraint award_parts_who_waits_has_a_day check (state = 'earned' or waits_until is not null),
        constraint award_parts_an_event_has_a_last_day check (waits_for is null or waits_until is not null)
    ) with (fillfactor = 90);

    -- What waits, by when it no longer does: whoever releases goes through it in this order.
    create index award_parts_waiting on award_parts (waits_until, natural_key, number) where state = 'pending';

    -- What a return took of each part.
    create table return_parts (
        natural_key bytea not null,
        number smallint not null,
        point_type text not null,
        points bigint not null constraint return_parts_points_positive check (points > 0),
        became_debt bigint not null constraint return_parts_debt_not_negative check (became_debt >= 0),
        primary key (natural_key, number)
    );
"""


def upgrade() -> None:
    """Make room for parts."""
    op.execute(TABLES)
