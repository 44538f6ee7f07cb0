"""A receipt may be voided: its award says by which document, and what took points back says why.

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Both columns are there at once: a constant default rewrites nothing."""
    op.execute("alter table awards add column voided_by bytea")
    op.execute(
        """
        alter table returns add column cause text not null default 'return'
            constraint returns_cause_known check (cause in ('return', 'void'))
        """
    )
