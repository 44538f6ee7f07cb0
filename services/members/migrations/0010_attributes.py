"""Attributes that the programme declares, and what members have under them."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ATTRIBUTES = (
    """
    create table attributes (
        code text collate "C" primary key,
        value_type text not null
            constraint attributes_type_known check (value_type in ('text', 'number', 'boolean', 'date', 'choice')),
        is_personal boolean not null,
        choices text[] not null,
        text_length_max integer,
        declared_by text not null,
        declared_at timestamptz not null
    )
    """,
    # Only ever inserted, but for the member after a merge. Nothing in both columns: the value was taken away.
    """
    create table attribute_entries (
        entry_id uuid primary key,
        member_id uuid not null constraint attribute_entries_member_known references members,
        code text collate "C" not null constraint attribute_entries_attribute_known references attributes,
        plain text,
        sealed bytea,  -- a personal value, under the member's key
        source text not null,
        stated_at timestamptz not null,
        recorded_at timestamptz not null,
        recorded_by text not null,
        constraint attribute_entries_one_form check (plain is null or sealed is null)
    )
    """,
    "create index attribute_entries_member_id on attribute_entries (member_id, code, entry_id)",
    """
    create table member_attributes (
        member_id uuid not null constraint member_attributes_member_known references members,
        code text collate "C" not null constraint member_attributes_attribute_known references attributes,
        entry_id uuid not null constraint member_attributes_entry_known references attribute_entries,
        primary key (member_id, code)
    )
    """,
)


def upgrade() -> None:
    """Create what attributes are kept in."""
    for statement in ATTRIBUTES:
        op.execute(statement)
