"""Points that were redeemed and given back since are counted for their partners.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# An entry of a refund has the key u + redemption id + receipt key + key of the document that undid it.
STATEMENTS = (
    """
    alter table exposure_sums
        add column refunded_points bigint not null default 0
            constraint exposure_sums_refunded_not_negative check (refunded_points >= 0),
        add column restored_points bigint not null default 0
            constraint exposure_sums_restored_not_negative check (restored_points >= 0)
    """,
)


def upgrade() -> None:
    """Nothing was given back before."""
    for statement in STATEMENTS:
        op.execute(statement)
