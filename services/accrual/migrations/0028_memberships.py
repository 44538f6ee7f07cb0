"""Segments of members, and which campaigns members have joined.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLES = """
    create table segments (
        code text collate "C" primary key,
        name text not null,
        declared_by text not null,
        declared_at timestamptz not null
    );

    -- What has passed of a membership never changes: receipts that come late are judged by it.
    create table memberships (
        membership_id uuid primary key,
        member_id uuid not null,
        kind text not null constraint memberships_kind_known check (kind in ('segment', 'campaign')),
        code text collate "C" not null,
        from_at timestamptz not null,
        until_at timestamptz,
        changed_by text not null,
        changed_at timestamptz not null,
        constraint memberships_end_after_their_beginning check (until_at >= from_at)
    ) with (fillfactor = 90);
    create index memberships_of_member on memberships (member_id, kind, code);
    create index memberships_of_group on memberships (kind, code, membership_id);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
