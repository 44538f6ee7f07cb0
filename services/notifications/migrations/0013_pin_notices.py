"""Messages that tell members that their PIN was set, changed, reset or locked.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# One row an event, kept as long as its message: so a replay sends nothing twice.
PIN_NOTICES = """
    create table pin_notices (
        message_id uuid primary key references messages,
        event_id uuid not null constraint pin_notices_once unique,
        change text not null constraint pin_notices_change check (change in ('set', 'changed', 'reset', 'locked'))
    )
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(PIN_NOTICES)
