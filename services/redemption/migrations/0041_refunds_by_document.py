"""What went back is kept by document: of one key there may be two, a return that HTTP told of and a void.

Revision ID: 0041
Revises: 0040
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there already is one document's each."""
    op.execute(
        """
        alter table redemption_refunds
            drop constraint redemption_refunds_pkey,
            add primary key (redemption_id, receipt_key, undone_by, content_hash)
        """
    )
