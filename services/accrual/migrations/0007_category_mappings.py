"""What partners' categories count as, and by which version of that an award was judged.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Awards from before were judged by the partners' own categories: version 0."""
    op.execute(
        """
        create table category_mappings (
            partner_id text not null,
            version bigint not null,
            partner_category text not null,
            path text[] not null,
            in_force_from timestamptz not null,
            primary key (partner_id, version)
        )
        """
    )
    op.execute("alter table awards add column mapping_version bigint not null default 0")
