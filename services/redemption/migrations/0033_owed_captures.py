"""What receipts took that no balance covered and that their members owe.

Revision ID: 0033
Revises: 0032
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    alter table redemption_captures
        add column debt_points bigint not null default 0,
        add constraint redemption_captures_owed_within_points check (debt_points between 0 and points - late_points)
    """,
    # What is owed was not reserved either: the same index, for the day's list.
    "drop index redemption_captures_late",
    """
    create index redemption_captures_late on redemption_captures (captured_at)
        where late_points > 0 or uncovered_points > 0 or debt_points > 0
    """,
)


def upgrade() -> None:
    """A constant default: no row is written."""
    for statement in STATEMENTS:
        op.execute(statement)
