"""PINs by which members confirm that points may leave.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# sealed: a salted slow hash, sealed with the member's key: four digits behind a bare hash are found in minutes.
PINS = """
    create table member_pins (
        member_id uuid primary key constraint member_pins_member_known references members,
        sealed bytea not null,
        set_at timestamptz not null,
        counts_from timestamptz not null,
        wrong_tries smallint not null default 0 constraint member_pins_tries_count check (wrong_tries >= 0),
        locks smallint not null default 0 constraint member_pins_locks_count check (locks >= 0),
        locked_until timestamptz
    ) with (fillfactor = 80)
"""


def upgrade() -> None:
    """Nobody has one yet."""
    op.execute(PINS)
