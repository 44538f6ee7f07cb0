"""The programme's tree of categories, and what partners' own categories count as in it.

Revision ID: 0011
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A category never moves, so that a path that a receipt was judged by stays true.
    """
    create table categories (
        category_id text collate "C" primary key,
        name text not null,
        parent_id text collate "C" constraint categories_parent_known references categories,
        path text[] not null,
        registered_at timestamptz not null
    )
    """,
    # Versions are numbered one after the other for each partner, under its row's lock; rows are added, never changed.
    """
    create table category_mappings (
        partner_id text collate "C" not null constraint category_mappings_partner_known references partners,
        version bigint not null,
        partner_category text collate "C" not null,
        category_id text collate "C" constraint category_mappings_category_known references categories,
        in_force_from timestamptz not null,
        declared_at timestamptz not null,
        primary key (partner_id, version)
    )
    """,
    "create index category_mappings_newest on category_mappings (partner_id, partner_category, version desc)",
)


def upgrade() -> None:
    """An empty tree: every category counts as itself."""
    for statement in STATEMENTS:
        op.execute(statement)
