"""Partners' contracts and exposures, as coalition publishes them.

Revision ID: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FUNDS = """
    -- rates: {point type: [least points of a redemption, step]}
    create table redemption_contracts (
        contract_id uuid primary key,
        partner_id text not null,
        effective_from timestamptz not null,
        effective_until timestamptz,
        rates jsonb not null,
        version bigint not null
    );
    create index redemption_contracts_of_partner on redemption_contracts (partner_id);

    create table redemption_exposures (
        partner_id text primary key,
        is_exhausted boolean not null,
        version bigint not null
    );
"""


def upgrade() -> None:
    """Create the projections that say whether points may be reserved at a partner."""
    op.execute(FUNDS)
