"""What became of asks: when their points were let go, and by whose word.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENT = """
    alter table spend_decisions
        add column went_at timestamptz,
        add column went_by text,
        add constraint spend_decisions_went_by_somebody check ((went_at is null) = (went_by is null)),
        add constraint spend_decisions_went_by_known check (went_by in ('fraud', 'ceiling', 'code', 'pin'))
"""


def upgrade() -> None:
    """Of asks of before nothing is said."""
    op.execute(STATEMENT)
