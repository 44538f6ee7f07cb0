"""Uses of privileges: each counts once by its receipt, returns undo them, and reservations keep what is left.

Revision ID: 0034
Revises: 0033
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# One for a receipt and a privilege, for ever; whoever writes one holds the receipt's row in redemption_receipts.
# Members are named by the ids that they had then.
USES = """
    create table redemption_privilege_uses (
        receipt_key bytea not null,
        privilege_id text not null,
        content_hash text not null,
        partner_id text not null,
        store_id text not null,
        member_id uuid,
        session_id uuid,
        occurred_at timestamptz not null,
        currency text not null,
        line_ids bigint[] not null,
        line_amounts_minor bigint[] not null,
        line_quantities bigint[] not null,
        counted_on date not null,
        objection text,
        undone_minor bigint not null,
        is_undone boolean not null,
        version bigint not null constraint redemption_privilege_uses_version_counts check (version >= 1),
        primary key (receipt_key, privilege_id)
    );
    create index redemption_privilege_uses_member on redemption_privilege_uses (member_id, privilege_id, counted_on)
        where member_id is not null;
"""

# What came back of a receipt, by its lines, also before that was read.
RETURNS = """
    create table redemption_goods_back (
        return_key bytea not null,
        content_hash text not null,
        original_key bytea not null,
        line_ids bigint[] not null,
        line_quantities bigint[] not null,
        read_at timestamptz not null,
        primary key (return_key, content_hash)
    );
    create index redemption_goods_back_original on redemption_goods_back (original_key);
"""

# Uses of all members by period, where they are limited together; written under the lock of the privilege's row.
TOTALS = """
    create table redemption_privilege_totals (
        privilege_id text not null,
        period text not null,
        began_on date not null,
        uses bigint not null constraint redemption_privilege_totals_count check (uses >= 0),
        primary key (privilege_id, period, began_on)
    )
"""

# One for a till conversation and a privilege, until its receipt comes, or purchases were read to its end without one.
RESERVATIONS = """
    create table redemption_privilege_reservations (
        session_id uuid not null,
        privilege_id text not null,
        partner_id text not null,
        member_id uuid not null,
        counted_on date not null,
        expires_at timestamptz not null,
        primary key (session_id, privilege_id)
    );
    create index redemption_privilege_reservations_ends
        on redemption_privilege_reservations (privilege_id, expires_at);
    create index redemption_privilege_reservations_member on redemption_privilege_reservations (member_id);
    create index redemption_privilege_reservations_old on redemption_privilege_reservations (expires_at);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(USES)
    op.execute(RETURNS)
    op.execute(TOTALS)
    op.execute(RESERVATIONS)
