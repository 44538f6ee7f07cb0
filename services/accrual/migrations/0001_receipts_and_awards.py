"""Claims, awards, documents, parked receipts, rule sets and projections.

Revision ID: 0001
"""

from alembic import op

from shared.database.month_partitions import month_partitions_ddl
from shared.database.read_to import READ_TO_DDL
from shared.outbox.ddl import OUTBOX_DDL
from shared.runtime.dead_letters import DEAD_LETTERS_DDL
from shared.web.idempotency import IDEMPOTENCY_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RECEIPTS = """
    -- What became of a natural key, for ever. A row without a content hash is a key that only a return or a fraud hold
    -- has named so far: whoever concerns himself with a receipt meets the others in this row.
    -- fillfactor: each row is inserted as parked and updated once in its transaction; the new version fits its page.
    create table claims (
        natural_key bytea primary key,
        content_hash bytea,
        owner_id uuid,
        state text not null constraint claims_state_known check (state in ('awarded', 'refused', 'parked', 'failed')),
        constraint claims_content_hash_is_sha256 check (octet_length(content_hash) = 32),
        constraint claims_final_names_its_content check (state = 'parked' or content_hash is not null)
    ) with (fillfactor = 60);

    -- Which lot the points went to is not a number but the lot's terms: issuer and dates, as the ledger keys lots.
    create table awards (
        natural_key bytea primary key,
        owner_id uuid not null,
        partner_id text not null,
        point_type text not null,
        points bigint not null constraint awards_points_not_negative check (points >= 0),
        taken_back bigint not null constraint awards_taken_back_not_negative check (taken_back >= 0),
        available_from date not null,
        expires_on date,
        rule_set_version integer not null,
        decision bytea not null constraint awards_decision_is_small check (octet_length(decision) <= 500),
        decided_at timestamptz not null,
        constraint awards_taken_back_within_points check (taken_back <= points)
    ) with (fillfactor = 90);

    -- The document as it was judged, compressed. Uniqueness is the claim's affair.
    create table documents (
        natural_key bytea not null,
        decided_at timestamptz not null,
        event bytea not null
    ) partition by range (decided_at);
    create index documents_natural_key on documents (natural_key);

    create table returns (
        natural_key bytea primary key,
        original_key bytea not null,
        owner_id uuid not null,
        points bigint not null constraint returns_points_not_negative check (points >= 0),
        became_debt bigint not null constraint returns_debt_not_negative check (became_debt >= 0),
        decided_at timestamptz not null
    );
    create table returned_lines (
        original_key bytea not null,
        line_id bigint not null,
        natural_key bytea not null,
        quantity_thousandths bigint not null constraint returned_lines_positive check (quantity_thousandths > 0),
        primary key (original_key, line_id, natural_key)
    );

    create table refusals (
        natural_key bytea not null,
        content_hash bytea not null,
        reason text not null,
        detail text not null,
        event bytea,
        refused_at timestamptz not null,
        primary key (natural_key, content_hash)
    );

    -- A receipt that lacks a fact waits for it: i:<identifier hash>, m:<member>, t:<partner>/<store>/<till>,
    -- r:<original receipt id>, or 'rules'. Without waits_for it names nobody and waits for nothing.
    create table parked (
        natural_key bytea primary key,
        reason text not null,
        waits_for text,
        event bytea not null,
        parked_at timestamptz not null
    );
    create index parked_waits_for on parked (waits_for) where waits_for is not null;
    create index parked_returns on parked (natural_key) where waits_for like 'r:%';

    -- Where a fact and a receipt that lacks it meet: both sides insert the row, lock it, then look for the other.
    create table meeting_rows (key text primary key);

    create table fraud_holds (
        natural_key bytea primary key,
        member_id uuid not null,
        version bigint not null,
        action text not null constraint fraud_holds_action_known check (action in ('hold', 'release')),
        rule_code text not null,
        ends_at timestamptz,
        constraint fraud_holds_end check (action = 'release' or ends_at is not null)
    );
    create index fraud_holds_open on fraud_holds (ends_at) where action = 'hold';
"""

PROJECTIONS = """
    create table members (
        member_id uuid primary key,
        status text not null,
        version bigint not null
    ) with (fillfactor = 90);

    create table identifiers (
        identifier_hash text primary key,
        member_id uuid not null,
        state text not null,
        version bigint not null
    );

    create table partners (
        partner_id text primary key,
        name text not null,
        state text not null,
        line_tolerance_minor integer not null,
        receipt_tolerance_minor integer not null,
        version bigint not null
    );

    create table stores (
        partner_id text not null,
        store_id text not null,
        name text not null,
        time_zone text not null,
        version bigint not null,
        primary key (partner_id, store_id)
    );

    create table tills (
        partner_id text not null,
        store_id text not null,
        till_id text not null,
        key_scheme text not null,
        key_sha256 text not null,
        is_revoked boolean not null,
        version bigint not null,
        primary key (partner_id, store_id, till_id)
    );
    create index tills_key_sha256 on tills (key_sha256);
"""

RULE_SETS = """
    create table rule_sets (
        version integer primary key,
        effective_from timestamptz not null,
        document jsonb not null,
        published_by text not null,
        published_at timestamptz not null
    );
"""


def upgrade() -> None:
    """Create everything that accrual owns today."""
    op.execute(RECEIPTS)
    for statement in month_partitions_ddl("documents", "decided_at"):
        op.execute(statement)
    op.execute(PROJECTIONS)
    op.execute(RULE_SETS)
    for statement in (*OUTBOX_DDL, *READ_TO_DDL, *DEAD_LETTERS_DDL, *IDEMPOTENCY_DDL):
        op.execute(statement)
