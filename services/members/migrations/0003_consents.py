"""Consents: texts, statements, what holds, confirmations."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# "C": pages go by code, in the order of its bytes. An empty partner is the programme itself: it is part of keys.
CONSENTS = (
    """
    create table consent_texts (
        purpose text collate "C" not null,
        channel text collate "C" not null,
        text_version text collate "C" not null,
        language text collate "C" not null,
        wording text not null,
        declared_by text not null,
        declared_at timestamptz not null,
        primary key (purpose, channel, text_version, language)
    )
    """,
    # Only ever inserted, but for the member after a merge. Everything else follows from these rows.
    """
    create table consent_statements (
        statement_id uuid primary key,
        member_id uuid not null constraint consent_statements_member_known references members,
        purpose text collate "C" not null,
        channel text collate "C" not null,
        partner_id text collate "C" not null,
        is_granted boolean not null,
        text_version text collate "C" not null,
        language text collate "C" not null,
        source text not null,
        proof text,
        stated_at timestamptz not null,
        recorded_at timestamptz not null,
        recorded_by text not null,
        constraint consent_statements_text_known
            foreign key (purpose, channel, text_version, language) references consent_texts
    )
    """,
    "create index consent_statements_member_id on consent_statements (member_id, statement_id)",
    """
    create table consents (
        member_id uuid not null constraint consents_member_known references members,
        purpose text collate "C" not null,
        channel text collate "C" not null,
        partner_id text collate "C" not null,
        statement_id uuid not null constraint consents_statement_known references consent_statements,
        version bigint not null constraint consents_version_counts check (version >= 1),
        primary key (member_id, purpose, channel, partner_id)
    )
    """,
    """
    create table consent_confirmations (
        statement_id uuid primary key constraint consent_confirmations_statement_known references consent_statements,
        token_sha256 bytea not null constraint consent_confirmations_token_unique unique,
        expires_at timestamptz not null,
        state text not null
            constraint consent_confirmations_state_known check (state in ('awaited', 'confirmed', 'superseded')),
        settled_by text,
        settled_at timestamptz
    )
    """,
)


def upgrade() -> None:
    """Create what consents are kept in."""
    for statement in CONSENTS:
        op.execute(statement)
