"""What a voided receipt had taken goes back: voids as they were read, receipts' totals, and what was given back.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The total of the receipt's first document: a void repeats it, or means another receipt.
    "alter table redemption_receipts add column total_minor bigint",
    # A void under its own key and document, since another document may bear the key; for ever. Written by whoever has
    # locked both keys in redemption_receipts. Without a total: read before totals were kept.
    """
    create table redemption_voids (
        void_key bytea not null,
        content_hash text not null,
        receipt_key bytea not null,
        total_minor bigint,
        read_at timestamptz not null,
        primary key (void_key, content_hash)
    )
    """,
    "create index redemption_voids_receipt on redemption_voids (receipt_key)",
    """
    insert into redemption_voids (void_key, content_hash, receipt_key, read_at)
    select distinct on (voided_by) voided_by, '', receipt_key, now()
    from redemption_receipts where voided_by is not null
    order by voided_by, receipt_key
    """,
    "alter table redemption_receipts drop column voided_by",
    """
    alter table redemption_captures
        add column refunded_points bigint not null default 0,
        add constraint redemption_captures_refunded_of_taken check (refunded_points between 0 and points)
    """,
    # What a document gave back of what a receipt took, once for ever.
    """
    create table redemption_refunds (
        redemption_id uuid not null,
        receipt_key bytea not null,
        undone_by bytea not null,
        content_hash text not null,
        points bigint not null constraint redemption_refunds_points_positive check (points > 0),
        refunded_at timestamptz not null,
        primary key (redemption_id, receipt_key, undone_by)
    )
    """,
    "create index redemption_refunds_undone_by on redemption_refunds (undone_by)",
    """
    alter table redemption_exceptions
        drop constraint redemption_exceptions_kind_known,
        add constraint redemption_exceptions_kind_known check (kind in (
            'amount_mismatch', 'refused_receipt', 'other_partner', 'other_currency', 'voided_receipt',
            'void_of_other_total', 'refused_void'))
    """,
)


def upgrade() -> None:
    """Voids that were read before keep their word; nothing was given back for them."""
    for statement in STATEMENTS:
        op.execute(statement)
