"""What people decided of exceptions: why, who and when.

Revision ID: 0040
Revises: 0039
"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Never changed: see APPEND_ONLY_TABLES in shared/database/roles.py. An exception is one of redemption_exceptions,
    # or a capture that its hold did not cover, whose key makes the id.
    """
    create table redemption_exception_settlements (
        exception_id uuid primary key,
        reason_code text not null,
        settled_by text not null,
        settled_at timestamptz not null
    )
    """,
    """
    create index redemption_captures_exception on redemption_captures
        ((md5(receipt_key || uuid_send(redemption_id))::uuid))
        where late_points > 0 or uncovered_points > 0 or debt_points > 0
    """,
)


def upgrade() -> None:
    """Make room for them."""
    for statement in STATEMENTS:
        op.execute(statement)
