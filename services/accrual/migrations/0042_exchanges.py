"""Goods may be exchanged: one document takes points back and gives others, and may be voided.

Revision ID: 0042
Revises: 0041
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What took points back may have been an exchange; who voided one, and what that gave again."""
    op.execute(
        """
        alter table returns drop constraint returns_cause_known,
            add constraint returns_cause_known check (cause in ('return', 'void', 'exchange'))
        """
    )
    op.execute(
        """
        alter table returns add column voided_by bytea,
            add column given_back bigint not null default 0
                constraint returns_given_back_not_negative check (given_back >= 0)
        """
    )
