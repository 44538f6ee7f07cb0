"""Types of member events wait for a second person, and what events gave under rules may be clipped.

Revision ID: 0041
Revises: 0040
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

CHANGES = """
    -- What was declared before a second person was asked for counts as it did.
    alter table member_event_types add column state text not null default 'approved'
        constraint member_event_types_state_known check (state in ('declared', 'approved', 'refused'));
    alter table member_event_types alter column state drop default;
    alter table member_event_types add column decided_by text;
    alter table member_event_types add column decided_at timestamptz;
    alter table member_event_types add column reason text;
    alter table member_event_types add constraint member_event_types_second_person
        check (decided_by is null or decided_by <> declared_by);
    alter table member_event_types add constraint member_event_types_refused_for_a_reason
        check ((state = 'refused') = (reason is not null));
    -- Two people who declare the next version at once wait for each other; this holds whatever they do.
    create unique index member_event_types_one_waits on member_event_types (code) where state = 'declared';

    -- What was to be taken back besides and was not there: by the rules nobody owes it.
    alter table member_events add column clipped bigint not null default 0
        constraint member_events_clipped_not_negative check (clipped >= 0);
"""


def upgrade() -> None:
    """Ask for a second person."""
    op.execute(CHANGES)
