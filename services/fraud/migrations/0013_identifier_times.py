"""When members' identifiers were linked: the first time and the last.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENT = """
    alter table member_windows
        add column first_linked_at timestamptz,
        add column last_linked_at timestamptz,
        add constraint member_windows_linked_in_order check (
            (first_linked_at is null) = (last_linked_at is null) and first_linked_at <= last_linked_at
        )
"""


def upgrade() -> None:
    """Nothing is known of before: members tells it when it republishes."""
    op.execute(STATEMENT)
