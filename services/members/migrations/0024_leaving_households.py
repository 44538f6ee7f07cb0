"""What becomes of the points of who leaves a household: what each member agreed to, and with whom they stayed.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Whoever belongs to a household by now has agreed to nothing else.
    """
    alter table household_members
        add column leaving_policy text not null default 'takes_own'
            constraint household_members_leaving_policy_known
            check (leaving_policy in ('takes_own', 'stays_with_household')),
        add column leaving_notice_days integer not null default 0
            constraint household_members_leaving_notice_counts check (leaving_notice_days >= 0),
        add column contributed_until timestamptz  -- when contributing was last ended
            constraint household_members_contributed_until_the_end check (contributed_until is null or not contributes)
    """,
    # heir_id: with whom the points of who left stay; none where they went along.
    """
    alter table household_changes
        add column leaving_policy text not null default 'takes_own',
        add column leaving_notice_days integer not null default 0,
        add column heir_id uuid
            constraint household_changes_heir_of_who_left check (heir_id is null or action = 'leave')
    """,
)


def upgrade() -> None:
    """Keep both."""
    for statement in STATEMENTS:
        op.execute(statement)
