"""Ways for what a purchase took that was paid with more points than there were to be owed, and to be undone.

Only adds, as 0003 did: the rule that admits more replaces the one that stands, and rows are checked before it goes.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LEGS_KNOWN = """
    (purpose, debit, credit) in (
        ('earn', 'issue', 'available'),
        ('earn', 'issue', 'pending'),
        ('reserve', 'available', 'held'),
        ('capture', 'held', 'redeem'),
        ('void', 'held', 'available'),
        ('expire', 'held', 'available'),
        ('clear_debt', 'available', 'debt'),
        ('claw_back', 'pending', 'issue'),
        ('claw_back', 'available', 'issue'),
        ('claw_back', 'debt', 'issue'),
        ('suspend', 'available', 'pending'),
        ('release', 'pending', 'available'),
        ('spend_late', 'available', 'redeem'),
        ('refund', 'redeem', 'available'),
        ('expire_points', 'available', 'breakage'),
        ('reinstate', 'breakage', 'available'),
        ('adjust', 'adjustment', 'available'),
        ('adjust', 'available', 'adjustment'),
        ('write_off', 'adjustment', 'debt'),
        ('merge', 'available', 'available'),
        ('merge', 'pending', 'pending'),
        ('merge', 'debt', 'debt'),
        ('gift', 'available', 'available'),
        ('leave', 'available', 'available'),
        ('prolong', 'available', 'available'),
        ('spend_late', 'debt', 'redeem'),
        ('refund_owed', 'redeem', 'debt'),
        ('refund_owed', 'issue', 'available')
    )
"""


def upgrade() -> None:
    """Replace the rule by the one that admits more."""
    op.execute(
        f"alter table ledger_transfers add constraint ledger_transfers_legs_known_8 check ({LEGS_KNOWN}) not valid"
    )
    op.execute("alter table ledger_transfers validate constraint ledger_transfers_legs_known_8")
    op.execute("alter table ledger_transfers drop constraint ledger_transfers_legs_known")
    op.execute(
        "alter table ledger_transfers rename constraint ledger_transfers_legs_known_8 to ledger_transfers_legs_known"
    )
    op.execute("insert into ledger_version (version) values (8)")
