"""Which of partners' articles earn nothing, numbered together with what their categories count as.

Revision ID: 0010
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every article earns."""
    op.execute(
        """
        create table article_exclusions (
            partner_id text not null,
            version bigint not null,
            sku text not null,
            is_excluded boolean not null,
            in_force_from timestamptz not null,
            primary key (partner_id, version)
        )
        """
    )
