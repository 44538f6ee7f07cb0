"""Terms and their acceptance."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# "C": pages go by code, in the order of its bytes.
TERMS = (
    """
    create table terms (
        language text collate "C" not null,
        terms_version text collate "C" not null,
        title text not null,
        paragraphs text[] not null,
        effective_from timestamptz not null,
        drafted_by text not null,
        drafted_at timestamptz not null,
        announced_at timestamptz,  -- null while it is a draft
        published_by text,
        published_at timestamptz,
        primary key (language, terms_version),
        constraint terms_published_whole
            check (num_nulls(announced_at, published_by, published_at) in (0, 3))
    )
    """,
    "create index terms_effective_from on terms (effective_from) where announced_at is not null",
    # Only ever inserted, but for the member after a merge.
    """
    create table terms_acceptances (
        acceptance_id uuid primary key,
        member_id uuid not null constraint terms_acceptances_member_known references members,
        language text collate "C" not null,
        terms_version text collate "C" not null,
        source text not null,
        proof text,
        accepted_at timestamptz not null,
        recorded_at timestamptz not null,
        recorded_by text not null,
        constraint terms_acceptances_terms_known foreign key (language, terms_version) references terms
    )
    """,
    "create index terms_acceptances_member_id on terms_acceptances (member_id, acceptance_id)",
)


def upgrade() -> None:
    """Create what terms are kept in."""
    for statement in TERMS:
        op.execute(statement)
