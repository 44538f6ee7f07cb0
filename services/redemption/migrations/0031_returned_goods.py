"""Goods that came back, what receipts that were paid with points had sold, and what of captures is settled for them.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table redemptions add column quote_id uuid",
    # What a document says that a receipt sold: its own, or one that corrects it. Lines and payments are lists in JSON.
    """
    create table redemption_sold_goods (
        receipt_key bytea not null,
        document_key bytea not null,
        content_hash text not null,
        occurred_at timestamptz not null,
        lines text not null,
        payments text not null,
        read_at timestamptz not null,
        primary key (receipt_key, document_key, content_hash)
    )
    """,
    "create index redemption_sold_goods_read_at on redemption_sold_goods (read_at)",
    # A return under its own key and document, since another document may bear the key. Whatever may have changed what
    # it comes to raises due; whoever settles it, under the lock of the receipt that it is of, lowers it again.
    """
    create table redemption_returns (
        return_key bytea not null,
        content_hash text not null,
        receipt_key bytea not null,
        thousandths text not null,
        said text,
        moves_on boolean not null,
        traceparent text,
        read_at timestamptz not null,
        state text not null constraint redemption_returns_state_known
            check (state in ('waiting', 'unread', 'told', 'counted', 'refused')),
        due integer not null constraint redemption_returns_due_counts check (due >= 0),
        primary key (return_key, content_hash)
    )
    """,
    "create index redemption_returns_receipt on redemption_returns (receipt_key)",
    "create index redemption_returns_due on redemption_returns (receipt_key) where due > 0",
    "create index redemption_returns_unread on redemption_returns (read_at) where state = 'unread'",
    "create index redemption_returns_waiting on redemption_returns (read_at) where state = 'waiting'",
    """
    alter table redemption_captures
        add column settled_points bigint not null default 0,
        add column moved_points bigint not null default 0,
        add constraint redemption_captures_settled_of_taken check (settled_points between 0 and points),
        add constraint redemption_captures_moved_of_taken check (moved_points between 0 and points)
    """,
    """
    alter table redemption_exceptions
        drop constraint redemption_exceptions_kind_known,
        add constraint redemption_exceptions_kind_known check (kind in (
            'amount_mismatch', 'refused_receipt', 'other_partner', 'other_currency', 'voided_receipt',
            'void_of_other_total', 'refused_void', 'other_goods', 'overpaid_refund', 'returned_more', 'refused_return',
            'unread_receipt', 'moved_on'))
    """,
)


def upgrade() -> None:
    """Goods that were sold before are not known: what comes back of them is for a person."""
    for statement in STATEMENTS:
        op.execute(statement)
