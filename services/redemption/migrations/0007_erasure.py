"""Nothing leads to an erased member any more: tombstones, and waiting tenders that name their member.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
    -- The tombstone: the version of MemberErased. Nothing that was told of the member before or after counts any more.
    alter table redemption_members add column erased_version bigint;
    create index redemption_identifiers_of_member on redemption_identifiers (member_id);

    -- Whose points a waiting tender takes, where that is known though its identifier was erased.
    alter table redemption_waiting_tenders add column member_id uuid;
    create index redemption_waiting_tenders_identifier on redemption_waiting_tenders (identifier_hash)
        where identifier_hash is not null;
"""


def upgrade() -> None:
    """Make room for tombstones."""
    op.execute(TABLES)
