"""Attributes that the registry tells of, and what members have under them, as it was at a receipt's time.

Revision ID: 0033
Revises: 0032
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = """
    create table attributes (
        code text collate "C" primary key,
        version bigint not null,
        value_type text not null,
        choices text[] not null
    );
    create table member_attribute_versions (
        member_id uuid not null,
        code text collate "C" not null,
        since timestamptz not null,
        version bigint not null,
        says text,
        primary key (member_id, code, since)
    ) with (fillfactor = 90);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
