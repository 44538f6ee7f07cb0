"""Live exposure: what partners paid, what was counted for them, and what was told of it."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

EXPOSURE = (
    # Append-only by privilege (shared/database/roles.py). No reference to partners: a payment is a fact by itself.
    """
    create table top_ups (
        partner_id text collate "C" not null,
        document_number text collate "C" not null,
        amount_minor bigint not null constraint top_ups_amount_moves_money check (amount_minor <> 0),
        currency text not null,
        booked_at timestamptz not null,
        booked_by text not null,
        primary key (partner_id, document_number)
    )
    """,
    # One row an effect, for ever: what makes it count once, whatever is replayed. p + receipt key, or r + redemption id
    # + receipt key. A return finds here under which contract its purchase was counted; 0 is none.
    """
    create table exposure_entries (
        entry_key bytea primary key,
        contract_number integer not null,
        counted_at timestamptz not null
    )
    """,
    """
    create table exposure_sums (
        partner_id text collate "C" not null,
        contract_number integer not null,
        point_type text collate "C" not null,
        issued_points bigint not null constraint exposure_sums_issued_not_negative check (issued_points >= 0),
        returned_points bigint not null constraint exposure_sums_returned_not_negative check (returned_points >= 0),
        redeemed_points bigint not null constraint exposure_sums_redeemed_not_negative check (redeemed_points >= 0),
        spent_points bigint not null constraint exposure_sums_spent_not_negative check (spent_points >= 0),
        primary key (partner_id, contract_number, point_type)
    ) with (fillfactor = 70)
    """,
    """
    create table exposures (
        partner_id text collate "C" primary key,
        version bigint not null constraint exposures_version_counts check (version >= 0),
        standing text not null
            constraint exposures_standing_known check (standing in ('open', 'low', 'reserve', 'exhausted')),
        alert_percent integer not null,
        published_at timestamptz,
        reviewed_at timestamptz,
        is_due boolean not null
    ) with (fillfactor = 70)
    """,
    "create index exposures_due on exposures (partner_id) where is_due",
)


def upgrade() -> None:
    """Create what exposure is kept in."""
    for statement in EXPOSURE:
        op.execute(statement)
