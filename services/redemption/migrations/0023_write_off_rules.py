"""Write-off rules, quotes by them, and what of members they ask for.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

from shared.rule_sets.ddl import RULE_SETS_DDL

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Known of those of whom the registry or accrual tells from here on; of others once both have told them again.
MEMBERS = """
    alter table redemption_members
        add column enrolled_at timestamptz,
        add column tier text,
        add column tier_version bigint not null default 0
"""

# What was quoted stays as it was quoted; a hold names it, and is priced by it.
QUOTES = """
    create table redemption_quotes (
        quote_id uuid primary key,
        member_id uuid not null,
        partner_id text not null,
        rule_set_version integer not null,
        checkout jsonb not null,
        points bigint not null constraint redemption_quotes_points_count check (points >= 0),
        value_minor bigint not null constraint redemption_quotes_value_counts check (value_minor >= 0),
        quoted_at timestamptz not null,
        expires_at timestamptz not null
    );
    create index redemption_quotes_quoted_at on redemption_quotes (quoted_at);
    create index redemption_quotes_member_id on redemption_quotes (member_id);
"""


# What the points of a hold pay together, where a quote has priced them.
PRICED = """
    alter table redemptions
        add column value_minor bigint constraint redemptions_value_counts check (value_minor > 0)
"""


def upgrade() -> None:
    """Make room for them."""
    for statement in RULE_SETS_DDL:
        op.execute(statement)
    op.execute(MEMBERS)
    op.execute(QUOTES)
    op.execute(PRICED)
