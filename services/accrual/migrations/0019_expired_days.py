"""Which days of expiry are done with: what could be spent until then has lapsed.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A row a day, in their order."""
    op.execute("""
        create table expired_days (
            day date not null constraint expired_days_pkey primary key,
            finished_at timestamptz not null
        )
    """)
