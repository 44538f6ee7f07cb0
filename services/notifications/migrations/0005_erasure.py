"""Nothing leads to an erased member any more: tombstones.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
    -- The tombstone: the version of MemberErased. The member is told nothing any more.
    alter table recipients add column erased_version bigint;
"""


def upgrade() -> None:
    """Make room for tombstones."""
    op.execute(TABLES)
