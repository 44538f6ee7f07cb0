"""Nothing leads to an erased member any more: tombstones, and a way to a member's cases.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
    -- The tombstone: the version of MemberErased. The member's receipts are looked at no more.
    alter table member_windows add column erased_version bigint;
    create index cases_with_note_of_member on cases (member_id) where note is not null;
"""


def upgrade() -> None:
    """Make room for tombstones."""
    op.execute(TABLES)
