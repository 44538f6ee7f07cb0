"""Files of members: how far each was taken in, and what was refused."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IMPORTS = (
    """
    create table member_imports (
        import_id uuid primary key,
        partner_id text,
        language text not null,
        region text,
        state text not null constraint member_imports_state_known check (state in ('open', 'finished')),
        records_taken bigint not null,
        enrolled bigint not null,
        refused bigint not null,
        content_digest bytea not null,  -- SHA-256 of all that was taken: the same file goes on, another one does not
        created_by text not null,
        created_at timestamptz not null,
        finished_at timestamptz,
        constraint member_imports_adds_up check (records_taken = enrolled + refused),
        constraint member_imports_finished check ((state = 'finished') = (finished_at is not null))
    ) with (fillfactor = 50)
    """,
    # A line, a code and a column: nothing of what stood there.
    """
    create table member_import_refusals (
        import_id uuid not null references member_imports,
        line bigint not null,
        reason text not null,
        column_name text,
        primary key (import_id, line)
    )
    """,
)


def upgrade() -> None:
    """Create the tables of imports."""
    for statement in IMPORTS:
        op.execute(statement)
