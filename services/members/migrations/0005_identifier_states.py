"""Identifiers are blocked, lost and replaced; who did what to them, and why, is kept for good."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table identifiers drop constraint identifiers_state_known",
    """
    alter table identifiers add constraint identifiers_state_known
        check (state in ('active', 'blocked', 'lost', 'replaced'))
    """,
    # What the history calls an identifier: its hash is personal data, and may have to go while the history stays.
    "alter table identifiers add column identifier_id uuid not null default gen_random_uuid()",
    "create unique index identifiers_identifier_id on identifiers (identifier_id)",
    # Append-only: the service may not update or delete here (shared/database/roles.py). No reference to the
    # identifier: the history outlives it.
    """
    create table identifier_changes (
        identifier_id uuid not null,
        version bigint not null constraint identifier_changes_version_counts check (version >= 1),
        member_id uuid not null,
        identifier_type text not null,
        action text not null constraint identifier_changes_action_known
            check (action in ('link', 'block', 'unblock', 'report_lost', 'replace')),
        from_state text not null,
        to_state text not null,
        reason_code text not null,
        author text not null,
        changed_at timestamptz not null,
        primary key (identifier_id, version)
    )
    """,
    "create index identifier_changes_member_id on identifier_changes (member_id, changed_at)",
)


def upgrade() -> None:
    """Widen the states and make the history."""
    for statement in STATEMENTS:
        op.execute(statement)
