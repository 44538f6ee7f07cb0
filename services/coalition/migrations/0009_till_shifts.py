"""Which receipts of which till's shift came, and what the till said of the shift.

Revision ID: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# One row a shift, in which receipts and the shift's end meet in either order. ``numbers`` are half-open runs, which
# join where they touch: a shift without gaps is one run, however many receipts it had.
TILL_SHIFTS = """
    create table till_shifts (
        partner_id text collate "C" not null,
        business_date date not null,
        store_id text collate "C" not null,
        till_id text collate "C" not null,
        shift bigint not null,
        numbers nummultirange not null default '{}',
        documents bigint not null default 0,
        total_minor bigint not null default 0,
        last_arrived_at timestamptz,
        stated_count bigint,
        stated_total_minor bigint,
        stated_first_number bigint,
        stated_last_number bigint,
        closed_by text,
        closed_at timestamptz,
        primary key (partner_id, business_date, store_id, till_id, shift),
        constraint till_shifts_closed_is_whole check (
            (closed_at is null) = (stated_count is null)
            and (closed_at is null) = (stated_total_minor is null)
            and (closed_at is null) = (closed_by is null)
        ),
        constraint till_shifts_stated_numbers_are_two
            check ((stated_first_number is null) = (stated_last_number is null))
    ) with (fillfactor = 70)
"""


def upgrade() -> None:
    """Nothing is known of what came before: a shift begins with its first receipt that is read."""
    op.execute(TILL_SHIFTS)
