"""Who was told that points will lapse, once a day of expiry and notice, and how far each notice has come.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keyed by the ledger's account: who that is, the ledger knows."""
    op.execute("""
        create table expiry_notices (
            expires_on date not null,
            days integer not null constraint expiry_notices_days_ahead check (days > 0),
            account_id bigint not null,
            constraint expiry_notices_pkey primary key (expires_on, days, account_id)
        )
    """)
    op.execute("""
        create table expiry_notices_through (
            days integer not null constraint expiry_notices_through_pkey primary key,
            day date not null
        )
    """)
