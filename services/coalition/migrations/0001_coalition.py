"""Partners, stores, tills, API clients."""

from alembic import op

from shared.database.read_to import READ_TO_DDL
from shared.outbox.ddl import OUTBOX_DDL
from shared.runtime.dead_letters import DEAD_LETTERS_DDL
from shared.web.idempotency import IDEMPOTENCY_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# "C": pages go by id, in the order of its bytes.
REGISTRY = (
    """
    create table partners (
        partner_id text collate "C" primary key,
        name text not null,
        state text not null constraint partners_state_known check (state in ('active', 'suspended')),
        line_tolerance_minor bigint not null
            constraint partners_line_tolerance_not_negative check (line_tolerance_minor >= 0),
        receipt_tolerance_minor bigint not null
            constraint partners_receipt_tolerance_not_negative check (receipt_tolerance_minor >= 0),
        version bigint not null constraint partners_version_counts check (version >= 1),
        registered_at timestamptz not null
    )
    """,
    """
    create table stores (
        partner_id text collate "C" not null constraint stores_partner_known references partners,
        store_id text collate "C" not null,
        name text not null,
        time_zone text not null,
        version bigint not null constraint stores_version_counts check (version >= 1),
        registered_at timestamptz not null,
        primary key (partner_id, store_id)
    )
    """,
    """
    create table tills (
        partner_id text collate "C" not null,
        store_id text collate "C" not null,
        till_id text collate "C" not null,
        key_scheme text not null
            constraint tills_key_scheme_known check (key_scheme in ('sequence', 'fiscal', 'document')),
        key_sha256 text not null constraint tills_key_unique unique,
        is_revoked boolean not null,
        version bigint not null constraint tills_version_counts check (version >= 1),
        registered_at timestamptz not null,
        primary key (partner_id, store_id, till_id),
        constraint tills_store_known foreign key (partner_id, store_id) references stores
    )
    """,
    # The partner is not a reference: the programme's settings may bind a client before its partner is registered.
    """
    create table api_clients (
        client_id text collate "C" primary key,
        partner_id text collate "C",
        scopes text[] not null,
        secret_hash text not null,
        is_revoked boolean not null,
        version bigint not null constraint api_clients_version_counts check (version >= 1),
        registered_at timestamptz not null
    )
    """,
)


def upgrade() -> None:
    """Create the registry and what every service keeps beside its own."""
    for statement in (*REGISTRY, *OUTBOX_DDL, *READ_TO_DDL, *DEAD_LETTERS_DDL, *IDEMPOTENCY_DDL):
        op.execute(statement)
