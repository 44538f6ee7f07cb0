"""Quotes that no hold has named are forgotten soon: whether one has is found by the quote's id.

Revision ID: 0038
Revises: 0037
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Few holds name a quote, and ids of quotes rise with time: the index grows at its end alone."""
    op.execute("create index redemptions_quote on redemptions (quote_id) where quote_id is not null")
