"""The audit log: every administrative act, append-only."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The service's role may read and insert and nothing else: see APPEND_ONLY_TABLES in shared/database/roles.py.
AUDIT_LOG = (
    """
    create table audit_log (
        entry_id bigint generated always as identity primary key,
        at timestamptz not null,  -- business time
        author text not null,
        action text not null,
        subject text not null,
        partner_id text collate "C",
        before jsonb,
        after jsonb,
        why text,
        request_id text
    )
    """,
    "create index audit_log_subject on audit_log (subject, entry_id)",
    "create index audit_log_author on audit_log (author, entry_id)",
)


def upgrade() -> None:
    """Create it."""
    for statement in AUDIT_LOG:
        op.execute(statement)
