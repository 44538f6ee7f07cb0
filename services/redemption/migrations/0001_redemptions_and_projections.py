"""Redemptions, their captures, tenders that wait, exceptions for people, and the projections.

Revision ID: 0001
"""

from alembic import op

from shared.database.read_to import READ_TO_DDL
from shared.outbox.ddl import OUTBOX_DDL
from shared.runtime.dead_letters import DEAD_LETTERS_DDL
from shared.web.idempotency import IDEMPOTENCY_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REDEMPTIONS = """
    -- Where everything about one redemption meets, in whatever order it comes.
    -- fillfactor: a row is written when points are reserved and once or twice more when they are taken or let go.
    create table redemptions (
        redemption_id uuid primary key,
        point_type text not null,
        state text not null constraint redemptions_state_known
            check (state in ('awaited', 'held', 'captured', 'voided', 'expired', 'declined')),
        partner_id text,
        member_id uuid,
        held_points bigint not null constraint redemptions_held_not_negative check (held_points >= 0),
        open_points bigint not null constraint redemptions_open_within_held
            check (open_points between 0 and held_points),
        captured_points bigint not null constraint redemptions_captured_not_negative check (captured_points >= 0),
        uncovered_points bigint not null constraint redemptions_uncovered_not_negative check (uncovered_points >= 0),
        held_at timestamptz,
        expires_at timestamptz,
        closed_at timestamptz,
        constraint redemptions_open_while_held check ((state = 'held') = (open_points > 0)),
        constraint redemptions_held_is_complete check (
            state <> 'held'
            or (partner_id is not null and member_id is not null and held_at is not null and expires_at is not null)
        )
    ) with (fillfactor = 70);
    create index redemptions_due on redemptions (expires_at) where state = 'held';

    -- What one receipt took of one redemption. The key is the guarantee that it takes it once.
    create table redemption_captures (
        receipt_key bytea not null,
        redemption_id uuid not null,
        points bigint not null constraint redemption_captures_points_not_negative check (points >= 0),
        late_points bigint not null constraint redemption_captures_late_within_points
            check (late_points between 0 and points),
        uncovered_points bigint not null constraint redemption_captures_uncovered_not_negative
            check (uncovered_points >= 0),
        released_points bigint not null constraint redemption_captures_released_not_negative
            check (released_points >= 0),
        open_before bigint not null,
        source text not null constraint redemption_captures_source_known check (source in ('http', 'event')),
        content_hash text,
        captured_at timestamptz not null,
        primary key (receipt_key, redemption_id),
        constraint redemption_captures_document_named check ((content_hash is null) = (source = 'http'))
    );
    create index redemption_captures_redemption on redemption_captures (redemption_id);

    -- Where a receipt's points tender and the refusal of that receipt meet.
    create table redemption_receipts (
        receipt_key bytea primary key,
        refused_hashes text[] not null
    );

    -- Points tenders whose member nobody knows yet.
    create table redemption_waiting_tenders (
        receipt_key bytea not null,
        redemption_id uuid not null,
        content_hash text not null,
        partner_id text not null,
        identifier_hash text,
        points bigint not null constraint redemption_waiting_tenders_points_positive check (points > 0),
        traceparent text,
        waiting_since timestamptz not null,
        primary key (receipt_key, redemption_id, content_hash)
    );
    create index redemption_waiting_tenders_redemption on redemption_waiting_tenders (redemption_id);

    -- What a person must look at: nothing was posted for it. A row is settled, never deleted.
    create table redemption_exceptions (
        exception_id uuid primary key,
        kind text not null constraint redemption_exceptions_kind_known
            check (kind in ('amount_mismatch', 'refused_receipt', 'other_partner', 'other_currency')),
        redemption_id uuid not null,
        receipt_key bytea not null,
        content_hash text not null,  -- empty where HTTP spoke, which names no document
        partner_id text not null,
        asked_points bigint not null,
        captured_points bigint not null,
        recorded_at timestamptz not null,
        settled_at timestamptz,
        settled_by text,
        constraint redemption_exceptions_once unique (receipt_key, redemption_id, content_hash, kind),
        constraint redemption_exceptions_settled_by_somebody check ((settled_at is null) = (settled_by is null))
    );
    create index redemption_exceptions_open on redemption_exceptions (recorded_at) where settled_at is null;
"""

PROJECTIONS = """
    -- The row that is locked before anything about a member is decided. Version 0 and 'unknown': a receipt named the
    -- member before the registry did.
    create table redemption_members (
        member_id uuid primary key,
        status text not null constraint redemption_members_status_known
            check (status in ('unknown', 'active', 'suspended', 'closed')),
        version bigint not null
    ) with (fillfactor = 90);

    create table redemption_identifiers (
        identifier_hash text primary key,
        member_id uuid not null,
        state text not null,
        version bigint not null
    );

    create table redemption_partners (
        partner_id text primary key,
        name text not null,
        state text not null,
        version bigint not null
    );

    create table redemption_tills (
        partner_id text not null,
        store_id text not null,
        till_id text not null,
        key_sha256 text not null,
        is_revoked boolean not null,
        version bigint not null,
        primary key (partner_id, store_id, till_id)
    );
    create index redemption_tills_key on redemption_tills (key_sha256);
"""


def upgrade() -> None:
    """Create everything that redemption owns today."""
    op.execute(REDEMPTIONS)
    op.execute(PROJECTIONS)
    for statement in (*OUTBOX_DDL, *READ_TO_DDL, *DEAD_LETTERS_DDL, *IDEMPOTENCY_DDL):
        op.execute(statement)
