"""What receipts entitle to: privileges by purchase.

Revision ID: 0036
Revises: 0035
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# One for a receipt and a privilege; whoever writes one holds the receipt's row in redemption_receipts.
# Members are named by the ids that they had then.
BOUGHT = """
    create table redemption_bought_privileges (
        receipt_key bytea not null,
        privilege_id text not null,
        content_hash text not null,
        partner_id text not null,
        member_id uuid,
        bought_at timestamptz not null,
        last_day date not null,
        line_ids bigint[] not null,
        line_quantities bigint[] not null,
        line_amounts_minor bigint[] not null,
        is_undone boolean not null,
        primary key (receipt_key, privilege_id)
    );
    create index redemption_bought_privileges_member on redemption_bought_privileges (member_id, last_day)
        where member_id is not null;
    create index redemption_bought_privileges_old on redemption_bought_privileges (last_day);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(BOUGHT)
