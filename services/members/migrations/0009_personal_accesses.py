"""Who looked at whom, and what for: append-only."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# No reference to members: the record outlives everything.
PERSONAL_ACCESSES = (
    """
    create table personal_accesses (
        entry_id bigint generated always as identity (cache 1) primary key,
        member_id uuid not null,
        accessed_by text not null,
        purpose text not null,
        sight text not null,
        accessed_at timestamptz not null
    )
    """,
    "create index personal_accesses_member on personal_accesses (member_id, entry_id)",
    "create index personal_accesses_author on personal_accesses (accessed_by, entry_id)",
)


def upgrade() -> None:
    """Create it."""
    for statement in PERSONAL_ACCESSES:
        op.execute(statement)
