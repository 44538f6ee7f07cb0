"""Where partners stand: kind, state, since when and why.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = (
    "preparing",
    "testing",
    "active",
    "suspended_earning",
    "suspended_spending",
    "suspended",
    "leaving",
    "left",
)
KINDS = ("issuing", "redeeming", "both", "co_brand_bank")


def _one_of(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def upgrade() -> None:
    """Partners that are there issue and redeem, and are what they were since they were registered."""
    op.execute("alter table partners drop constraint partners_state_known")
    op.execute(
        f"""
        alter table partners
            add constraint partners_state_known check (state in {_one_of(STATES)}),
            add column kind text not null default 'both'
                constraint partners_kind_known check (kind in {_one_of(KINDS)}),
            add column in_force_from timestamptz,
            add column reason_code text not null default 'registered',
            add column last_earn_on date,
            add column last_spend_on date,
            add column returns_until date,
            add constraint partners_leaving_says_until_when check (
                (state = 'leaving') = (last_earn_on is not null)
                and (state = 'leaving') = (last_spend_on is not null)
                and (state = 'leaving') = (returns_until is not null)
            )
        """
    )
    op.execute("update partners set in_force_from = registered_at")
    op.execute("alter table partners alter column in_force_from set not null")
    op.execute("alter table partners alter column kind drop default, alter column reason_code drop default")
