"""The history of statuses: append-only."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The first entry of a member's history is its enrolment, which stands with the member. No reference to members: the
# history outlives everything.
STATUS_CHANGES = """
    create table status_changes (
        member_id uuid not null,
        version bigint not null,  -- the member's, after the change
        from_status text not null,
        to_status text not null,
        reason_code text not null,  -- a code that the programme declares, never free text
        changed_by text not null,
        changed_at timestamptz not null,
        primary key (member_id, version),
        constraint status_changes_change check (from_status <> to_status)
    )
"""


def upgrade() -> None:
    """Create it."""
    op.execute(STATUS_CHANGES)
