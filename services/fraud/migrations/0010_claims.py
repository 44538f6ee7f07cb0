"""Receipts that were claimed later, and cases about a member alone.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHANGES = """
    -- How many days after the purchase it was claimed; null: a card was shown.
    alter table window_receipts add column claimed_after_days integer;

    -- One receipt may open a case about its operator, and one about its member (operator_hash is empty there).
    alter table cases drop constraint cases_opened_once;
    alter table cases add constraint cases_opened_once unique (opened_by, rule_code);
"""


def upgrade() -> None:
    """Let claims be judged."""
    op.execute(CHANGES)
