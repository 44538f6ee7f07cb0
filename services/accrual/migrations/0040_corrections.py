"""A receipt may be corrected: its award says by which document, and what each correction changed is kept.

Revision ID: 0040
Revises: 0039
"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

CHANGES = """
    -- The correction by which the receipt stands. Its document, and the one that came first, stand in documents.
    alter table awards add column corrected_by bytea;

    -- What a correction made of an award. decision_before and decision_after are what was applied, as awards keep it;
    -- points moved are what was given, or below zero taken, of the programme's own.
    create table corrections (
        natural_key bytea primary key,
        original_key bytea not null,
        owner_id uuid not null,
        reason text,
        occurred_at timestamptz not null,
        points_before bigint not null constraint corrections_before_not_negative check (points_before >= 0),
        points_after bigint not null constraint corrections_after_not_negative check (points_after >= 0),
        points_moved bigint not null,
        became_debt bigint not null constraint corrections_debt_not_negative check (became_debt >= 0),
        clipped bigint not null constraint corrections_clipped_not_negative check (clipped >= 0),
        total_minor_before bigint not null,
        total_minor_after bigint not null,
        decision_before bytea not null,
        decision_after bytea not null,
        decided_at timestamptz not null
    );
    create index corrections_of_receipt on corrections (original_key);
    create index corrections_of_owner on corrections (owner_id, natural_key);
"""


def upgrade() -> None:
    """A nullable column without a default rewrites nothing."""
    op.execute(CHANGES)
