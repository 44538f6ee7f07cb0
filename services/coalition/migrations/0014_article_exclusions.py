"""Which articles earn nothing, since when: numbered together with the partner's mappings.

Revision ID: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is said yet: articles themselves come with the same release."""
    op.execute(
        """
        create table article_exclusions (
            partner_id text collate "C" not null constraint article_exclusions_partner_known references partners,
            version bigint not null,
            sku text collate "C" not null,
            is_excluded boolean not null,
            in_force_from timestamptz not null,
            declared_at timestamptz not null,
            primary key (partner_id, version)
        )
        """
    )
