"""How far accounts have been gone through for inactivity.

Revision ID: 0036
Revises: 0035
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A row for lapsing, and one for each notice."""
    op.execute("""
        create table idle_sweeps (
            days integer primary key,
            day date not null,
            after_account_id bigint not null,
            done_day date
        ) with (fillfactor = 50)
    """)
