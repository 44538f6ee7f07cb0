"""Ways that points move between living owners, to breakage and back, by adjustment and by refund.

Only adds, as 0002 did: rules that admit more replace those that stand, and rows are checked before the old ones go.
"""

from alembic import op

from shared.ledger.grants import refund_grant_statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# name → what it says now
CONSTRAINTS = {
    "ledger_transfers_legs_known": """
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
            ('leave', 'available', 'available')
        )
    """,
    "ledger_transfers_merge_names_both": """
        (credit_account_id is not null) = (purpose in ('merge', 'gift', 'leave'))
        and credit_account_id is distinct from account_id
    """,
    # What was taken late may be named as a hold is, so that it can be refunded.
    "ledger_transfers_hold_named": """
        purpose = 'spend_late' or (hold_id is not null) = ('held' in (debit, credit) or purpose = 'refund')
    """,
    "ledger_transfers_partner_named": """
        (partner_id is not null) = (debit in ('issue', 'redeem') or credit in ('issue', 'redeem'))
    """,
}


REFUNDED = """
    alter table ledger_hold_lots
        add column refunded bigint not null default 0,
        add constraint ledger_hold_lots_refunded_of_captured check (refunded between 0 and captured)
"""


def upgrade() -> None:
    """Replace each rule by the one that admits more, and note what was refunded."""
    for name, says in CONSTRAINTS.items():
        op.execute(f"alter table ledger_transfers add constraint {name}_3 check ({says}) not valid")
        op.execute(f"alter table ledger_transfers validate constraint {name}_3")
        op.execute(f"alter table ledger_transfers drop constraint {name}")
        op.execute(f"alter table ledger_transfers rename constraint {name}_3 to {name}")
    op.execute(REFUNDED)
    for statement in refund_grant_statements():
        op.execute(statement)
    op.execute("insert into ledger_version (version) values (3)")
