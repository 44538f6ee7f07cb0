"""What members do beside buying: types of events, the events, and the days that time makes events of.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = """
    -- Versions are added, never changed.
    create table member_event_types (
        code text collate "C" not null,
        version integer not null,
        effective_from timestamptz not null,
        trigger text not null,
        document jsonb not null,
        declared_by text not null,
        declared_at timestamptz not null,
        primary key (code, version)
    );
    create index member_event_types_triggered on member_event_types (trigger);

    -- How far the calendar has been gone through for a type: the next day, and the member it has come to on that day.
    create table member_event_days (
        type_code text collate "C" primary key,
        next_day date not null,
        after_member uuid
    );

    -- For ever: the id follows from type, member and what makes the event one.
    create table member_events (
        event_id uuid primary key,
        type_code text not null,
        type_version integer not null,
        member_id uuid not null,
        payload jsonb not null,
        occurred_at timestamptz not null,
        recorded_by text not null,
        recorded_at timestamptz not null,
        state text not null constraint member_events_state_known check (state in ('awarded', 'refused', 'revoked')),
        refusal text,
        point_type text not null,
        points bigint not null constraint member_events_points_not_negative check (points >= 0),
        basis text not null,
        available_from date,
        expires_on date,
        became_debt bigint not null constraint member_events_debt_within_points
            check (became_debt between 0 and points),
        revoked_by text,
        revoked_at timestamptz,
        revoke_reason text,
        constraint member_events_refused_for_a_reason check ((state = 'refused') = (refusal is not null)),
        constraint member_events_undone_by_somebody check ((state = 'revoked') = (revoked_by is not null)),
        constraint member_events_points_have_a_lot check (points = 0 or available_from is not null)
    ) with (fillfactor = 90);
    create index member_events_of_member on member_events (member_id, type_code, occurred_at);

    -- Of each member what the calendar goes by. A birthday without its year, as the registry tells it.
    create table member_days (
        member_id uuid primary key,
        version bigint not null,
        birth_month smallint,
        birth_day smallint,
        enrolled_on date
    );
    create index member_days_born on member_days (birth_month, birth_day, member_id) where birth_month is not null;
    create index member_days_joined
        on member_days (date_part('month', enrolled_on), date_part('day', enrolled_on), member_id)
        where enrolled_on is not null;
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
