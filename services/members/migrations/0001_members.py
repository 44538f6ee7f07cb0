"""Persons, members, identifiers."""

from alembic import op

from shared.database.read_to import READ_TO_DDL
from shared.outbox.ddl import OUTBOX_DDL
from shared.runtime.dead_letters import DEAD_LETTERS_DDL
from shared.web.idempotency import IDEMPOTENCY_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REGISTRY = (
    """
    create table members (
        member_id uuid primary key,
        status text not null constraint members_status_known check (status in ('active', 'suspended', 'closed')),
        language text not null,
        region text,
        version bigint not null constraint members_version_counts check (version >= 1),
        enrolled_by text not null,
        enrolled_at timestamptz not null
    ) with (fillfactor = 90)
    """,
    # Personal data stand here and nowhere else. No checks of contents: a violation's message would repeat the row.
    """
    create table persons (
        member_id uuid primary key constraint persons_member_known references members,
        given_name text not null,
        family_name text not null,
        email text not null,
        phone text
    )
    """,
    # The row of a hash is where everybody who wants that identifier meets, and it is locked before the member's. The
    # reference is checked at the commit: checked at once, it would lock the member first.
    # "C": hashes are locked in the order of their bytes, which is the order that Python sorts in.
    """
    create table identifiers (
        identifier_hash text collate "C" primary key,
        identifier_type text not null
            constraint identifiers_type_known check (identifier_type in ('card', 'phone', 'token', 'email')),
        member_id uuid not null
            constraint identifiers_member_known references members deferrable initially deferred,
        state text not null constraint identifiers_state_known check (state in ('active', 'blocked')),
        version bigint not null constraint identifiers_version_counts check (version >= 1),
        linked_at timestamptz not null
    ) with (fillfactor = 90)
    """,
    "create index identifiers_member_id on identifiers (member_id)",
)


def upgrade() -> None:
    """Create the registry and what every service keeps beside its own."""
    for statement in (*REGISTRY, *OUTBOX_DDL, *READ_TO_DDL, *DEAD_LETTERS_DDL, *IDEMPOTENCY_DDL):
        op.execute(statement)
