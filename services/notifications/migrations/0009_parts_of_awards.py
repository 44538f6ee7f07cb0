"""A receipt that earns on several terms is told of part by part.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tell the parts of a receipt apart."""
    op.execute("alter table digest_entries add column part smallint not null default 0")
    op.execute("alter table digest_entries drop constraint digest_entries_pkey, add primary key (receipt_key, part)")
