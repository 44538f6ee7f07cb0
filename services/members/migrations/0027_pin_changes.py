"""The history of PINs: append-only.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# version counts a member's changes: a PIN that is reset leaves no row that could. No reference to members: the history
# outlives everything.
PIN_CHANGES = """
    create table pin_changes (
        member_id uuid not null,
        version bigint not null,
        change text not null constraint pin_changes_change check (change in ('set', 'changed', 'reset', 'locked')),
        changed_by text not null,
        changed_at timestamptz not null,
        primary key (member_id, version)
    )
"""


def upgrade() -> None:
    """Of PINs of before, members say since when they are set."""
    op.execute(PIN_CHANGES)
