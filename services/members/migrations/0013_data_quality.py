"""What is known about a person's fields, but their values: when each was stated, verified, found to be wrong."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# In clear, so that a million members are scored without opening one. Nothing in "..._at": the field is empty. Persons
# from before count as empty until they are corrected; no released version wrote any.
DATA_QUALITY = (
    """
    alter table persons
        add column email_at timestamptz,
        add column email_verified_at timestamptz,
        add column email_invalid_at timestamptz,
        add column phone_at timestamptz,
        add column phone_verified_at timestamptz,
        add column phone_invalid_at timestamptz,
        add column birth_date_at timestamptz,
        add column birth_date_verified_at timestamptz,
        add column birth_date_invalid_at timestamptz,
        add column address_at timestamptz,
        add column address_verified_at timestamptz,
        add column address_invalid_at timestamptz
    """,
    # Only ever inserted.
    """
    create table field_checks (
        check_id uuid primary key,
        member_id uuid not null constraint field_checks_member_known references members,
        field text not null
            constraint field_checks_field_known check (field in ('email', 'phone', 'birth_date', 'address')),
        outcome text not null constraint field_checks_outcome_known check (outcome in ('verified', 'invalid')),
        source text not null,
        checked_at timestamptz not null,
        recorded_at timestamptz not null,
        recorded_by text not null
    )
    """,
    "create index field_checks_member_id on field_checks (member_id)",
    # The newest counts; the others say what counted when.
    """
    create table quality_rules (
        rules_id bigint generated always as identity (cache 1) primary key,
        rules text not null,  -- JSON
        declared_by text not null,
        declared_at timestamptz not null
    )
    """,
)


def upgrade() -> None:
    """Create it."""
    for statement in DATA_QUALITY:
        op.execute(statement)
