"""Windows, decisions, signals, holds, cases, rule sets, and the tills that are known.

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

WINDOWS = """
    -- The row that is locked before anything about a member is read or decided. A window of a member and an operator is
    -- a part of the member's, so that it needs no row of its own.
    create table member_windows (member_id uuid primary key);

    -- The receipts that a window still needs, bounded by event time per member; with what was known at the decision.
    -- Rows come and go and never change: what became of a receipt stands in signals, holds and cases.
    -- No uniqueness: a receipt comes in together with its decision, whose key is unique.
    create table window_receipts (
        member_id uuid not null,
        occurred_at timestamptz not null,
        receipt_key bytea not null,
        operator_hash text,
        store_id text not null,
        shift_number bigint,
        day date not null,
        had_choice boolean
    );
    create index window_receipts_of_member on window_receipts (member_id, occurred_at);

    -- Registered tills, to know in which stores a member can choose by whom to be served.
    create table store_tills (
        partner_id text not null,
        store_id text not null,
        till_id text not null,
        is_revoked boolean not null,
        version bigint not null,
        primary key (partner_id, store_id, till_id)
    );
"""

DECISIONS = """
    -- A version never changes; digest is the SHA-256 of the body's bytes, which is why the body is text.
    create table rule_sets (
        version integer primary key constraint rule_sets_version_positive check (version > 0),
        digest text not null,
        body text not null,
        published_at timestamptz not null
    );

    -- One row a receipt, for ever: what makes a receipt count once, whatever is replayed.
    -- outcomes: {rule code: [result, observed figures in the order of the rule's checks]}.
    create table decisions (
        receipt_key bytea primary key,
        member_id uuid not null,
        action text not null constraint decisions_action_known check (action in ('none', 'flag', 'hold')),
        rule_set_version integer not null,  -- no reference: it would lock one and the same row in every transaction
        outcomes jsonb not null,
        decided_at timestamptz not null,
        raised_by bytea,
        raised_at timestamptz,
        constraint decisions_raised_by_somebody check ((raised_by is null) = (raised_at is null))
    );

    create table cases (
        case_id uuid primary key,
        opened_by bytea not null constraint cases_opened_once unique,
        member_id uuid not null,
        operator_hash text not null,
        partner_id text not null,
        rule_code text not null,
        state text not null constraint cases_state_known check (state in ('open', 'closed')),
        outcome text constraint cases_outcome_known
            check (outcome in ('confirmed', 'valuable_alert', 'false_positive')),
        version bigint not null constraint cases_version_positive check (version > 0),
        receipts integer not null constraint cases_receipts_not_negative check (receipts >= 0),
        opened_at timestamptz not null,
        closed_at timestamptz,
        closed_by text,
        note text,
        constraint cases_closed_is_complete check (
            (state = 'closed') = (outcome is not null)
            and (state = 'closed') = (closed_at is not null)
            and (state = 'closed') = (closed_by is not null)
        )
    ) with (fillfactor = 80);
    create index cases_open_of_member on cases (member_id) where state = 'open';
    create index cases_by_state on cases (state, case_id);
    create index cases_by_partner on cases (partner_id, case_id);

    create table signals (
        signal_id uuid primary key,
        receipt_key bytea not null,
        rule_code text not null,
        member_id uuid not null,
        action text not null constraint signals_action_known check (action in ('flag', 'hold')),
        observed bigint not null,
        threshold bigint not null,
        window_label text not null,
        case_id uuid references cases,
        occurred_at timestamptz not null,  -- the receipt's
        raised_at timestamptz not null,
        constraint signals_once unique (receipt_key, rule_code)
    );
    create index signals_of_member on signals (member_id, occurred_at);
    create index signals_of_case on signals (case_id, signal_id) where case_id is not null;

    -- What stands for a receipt's award. The version rises with every change, and the higher one wins everywhere.
    -- When and where it was stands here too: windows forget, a case must not.
    create table holds (
        receipt_key bytea primary key,
        version bigint not null constraint holds_version_positive check (version > 0),
        action text not null constraint holds_action_known check (action in ('hold', 'release')),
        ends_at timestamptz,
        case_id uuid not null references cases,
        member_id uuid not null,
        rule_code text not null,
        occurred_at timestamptz not null,
        store_id text not null,
        shift_number bigint,
        changed_at timestamptz not null,
        constraint holds_end check ((action = 'hold') = (ends_at is not null))
    ) with (fillfactor = 80);
    create index holds_of_member on holds (member_id, occurred_at);
    create index holds_of_case on holds (case_id, receipt_key);
"""


def upgrade() -> None:
    """Create everything that fraud owns today."""
    op.execute(WINDOWS)
    op.execute(DECISIONS)
    for statement in (*OUTBOX_DDL, *READ_TO_DDL, *DEAD_LETTERS_DDL, *IDEMPOTENCY_DDL):
        op.execute(statement)
