"""How many points each author has moved alone, by day.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = """
    -- What was moved of members stands among their counters (counted_days, under moved_alone).
    create table author_days (
        author text not null,
        day date not null,
        points bigint not null constraint author_days_not_negative check (points >= 0),
        primary key (author, day)
    ) with (fillfactor = 50);
    create index author_days_by_age on author_days (day);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
