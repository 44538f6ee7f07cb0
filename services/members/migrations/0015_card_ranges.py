"""Ranges of printed cards that are nobody's yet: one row a range."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    # "C": numbers of one length are compared as their digits and letters stand.
    """
    create table card_ranges (
        range_id uuid primary key,
        batch text not null,
        number_length smallint not null,
        first_number text collate "C" not null,
        last_number text collate "C" not null,
        check_digit text not null constraint card_ranges_check_digit_known check (check_digit in ('none', 'luhn')),
        links_before_issue boolean not null,
        state text not null constraint card_ranges_state_known check (state in ('printed', 'issued', 'withdrawn')),
        reason_code text not null,
        changed_by text not null,
        changed_at timestamptz not null,
        constraint card_ranges_one_length check (
            length(first_number) = number_length and length(last_number) = number_length
        ),
        constraint card_ranges_in_order check (first_number <= last_number)
    )
    """,
    "create unique index card_ranges_first_number on card_ranges (number_length, first_number)",
)


def upgrade() -> None:
    """Create the ranges."""
    for statement in STATEMENTS:
        op.execute(statement)
