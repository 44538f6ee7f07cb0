"""Why a receipt took points late, and the days' lists of such and of other exceptions.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Null where nothing was late, and of what was captured before this was kept.
    "alter table redemption_captures add column late_because text",
    # Late ones are few: whatever a hold covers writes nothing here.
    """
    create index redemption_captures_late on redemption_captures (captured_at)
        where late_points > 0 or uncovered_points > 0
    """,
    "create index redemption_exceptions_recorded on redemption_exceptions (recorded_at)",
)


def upgrade() -> None:
    """Make room for them."""
    for statement in STATEMENTS:
        op.execute(statement)
