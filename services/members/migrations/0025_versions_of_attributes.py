"""A version for what a member has under an attribute: it is told, and rises whenever it changes.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Begin with 1."""
    op.execute(
        "alter table member_attributes add column version bigint not null default 1"
        " constraint member_attributes_version_counts check (version >= 1)"
    )
