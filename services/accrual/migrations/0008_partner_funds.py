"""Partners' contracts and exposures, as coalition publishes them.

Revision ID: 0008
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FUNDS = """
    create table partner_contracts (
        contract_id uuid primary key,
        partner_id text not null,
        effective_from timestamptz not null,
        effective_until timestamptz,
        version bigint not null
    );
    create index partner_contracts_of_partner on partner_contracts (partner_id);

    create table partner_exposures (
        partner_id text primary key,
        is_exhausted boolean not null,
        version bigint not null
    );

    -- c:<partner>/<microseconds since 1970 of the receipt's time>: waits for a contract that covers this time.
    create index parked_contracts on parked (waits_for) where waits_for like 'c:%';
"""


def upgrade() -> None:
    """Create the projections that say whether a partner's receipts may earn."""
    op.execute(FUNDS)
