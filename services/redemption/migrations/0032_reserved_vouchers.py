"""Codes that partners bring, rewards that cost money as well, and vouchers that are reserved until it is paid.

Revision ID: 0032
Revises: 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# A code that was brought goes from its piece to the voucher; back again only if the voucher was never issued, so that
# nobody has seen it.
STATEMENTS = (
    """
    alter table redemption_reward_pieces
        add column code_hash text,
        add column sealed_code text,
        add constraint redemption_reward_pieces_code_whole check ((code_hash is null) = (sealed_code is null))
    """,
    "create unique index redemption_reward_pieces_code on redemption_reward_pieces (code_hash)",
    """
    alter table redemption_vouchers
        add column money_minor bigint not null default 0
            constraint redemption_vouchers_money_not_negative check (money_minor >= 0),
        add column paid_minor bigint not null default 0
            constraint redemption_vouchers_paid_not_negative check (paid_minor >= 0),
        alter column code_hash drop not null,
        alter column sealed_code drop not null,
        drop constraint redemption_vouchers_state_known,
        drop constraint redemption_vouchers_closed_at_given,
        add constraint redemption_vouchers_state_known
            check (state in ('reserved', 'issued', 'delivered', 'used', 'cancelled', 'expired')),
        add constraint redemption_vouchers_closed_at_given
            check ((state in ('reserved', 'issued', 'delivered')) = (closed_at is null)),
        add constraint redemption_vouchers_code_whole check ((code_hash is null) = (sealed_code is null)),
        add constraint redemption_vouchers_code_given check (code_hash is not null or closed_at is not null)
    """,
)


def upgrade() -> None:
    """None was reserved before, and none cost money."""
    for statement in STATEMENTS:
        op.execute(statement)
