"""What partners sell, files of it, and what receipts name that no article knows.

Revision ID: 0013
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table articles (
        partner_id text collate "C" not null constraint articles_partner_known references partners,
        sku text collate "C" not null,
        gtin text,
        brand text,
        category text,
        is_excluded boolean not null,
        price_floor_minor bigint,
        version bigint not null,
        changed_at timestamptz not null,
        primary key (partner_id, sku)
    )
    """,
    """
    create table article_imports (
        import_id uuid primary key,
        partner_id text collate "C" not null constraint article_imports_partner_known references partners,
        state text not null constraint article_imports_state_known check (state in ('open', 'finished')),
        records_taken bigint not null,
        written bigint not null,
        refused bigint not null,
        content_digest bytea not null,
        created_by text not null,
        created_at timestamptz not null,
        finished_at timestamptz
    )
    """,
    """
    create table article_import_refusals (
        import_id uuid not null constraint article_import_refusals_import_known references article_imports,
        line bigint not null,
        reason text not null,
        column_name text,
        primary key (import_id, line)
    )
    """,
    # At most UNKNOWN_ARTICLES_MAX rows a partner. fillfactor: a row is written with nearly every batch, and is small.
    """
    create table unknown_articles (
        partner_id text collate "C" not null,
        sku text collate "C" not null,
        lines bigint not null,
        amount_minor bigint not null,
        last_sold_on date not null,
        primary key (partner_id, sku)
    ) with (fillfactor = 50)
    """,
)


def upgrade() -> None:
    """No articles: sales of unknown ones count from the first receipt that is ticked off after this."""
    for statement in STATEMENTS:
        op.execute(statement)
