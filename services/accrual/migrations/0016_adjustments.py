"""Points that people give and take by hand, one by one and by file.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
    create table adjustment_files (
        file_id uuid primary key,
        name text not null constraint adjustment_files_name_is_one_files unique,
        state text not null constraint adjustment_files_state_known
            check (state in ('open', 'waiting', 'approved', 'posted', 'refused')),
        is_clipped boolean not null,
        records_taken bigint not null,
        accepted bigint not null,
        refused bigint not null,
        points_total bigint not null,
        points_largest bigint not null,
        content_digest bytea not null,  -- SHA-256 of all that was taken: the same file goes on, another one does not
        repeats uuid references adjustment_files,
        posted bigint not null,
        failed bigint not null,
        created_by text not null,
        created_at timestamptz not null,
        decided_by text,
        decided_at timestamptz,
        constraint adjustment_files_adds_up check (records_taken = accepted + refused),
        constraint adjustment_files_decides_once check (posted + failed <= accepted),
        -- A second person, and never the one who sent it. Who sent it may drop it.
        constraint adjustment_files_second_person check (state = 'refused' or decided_by <> created_by)
    ) with (fillfactor = 50);
    create index adjustment_files_listed on adjustment_files (created_at, file_id);
    create index adjustment_files_to_decide on adjustment_files (decided_at, file_id)
        where state in ('approved', 'refused') and posted + failed < accepted;

    create table adjustment_file_refusals (
        file_id uuid not null references adjustment_files,
        line bigint not null,
        reason text not null,
        column_name text,
        primary key (file_id, line)
    );

    -- For ever: the id follows from who asked under which key, or from file and line.
    create table adjustments (
        adjustment_id uuid primary key,
        member_id uuid not null,
        point_type text not null,
        points bigint not null constraint adjustments_move_something check (points <> 0),
        reason_code text not null,
        kind text not null,
        basis text not null,
        note text,
        expires_on date,
        is_clipped boolean not null,
        created_by text not null,
        created_at timestamptz not null,
        file_id uuid references adjustment_files,
        line bigint,
        state text not null constraint adjustments_state_known check (state in ('waiting', 'posted', 'refused')),
        refusal text,
        posted_points bigint not null,
        decided_by text,
        decided_at timestamptz,
        constraint adjustments_line_of_a_file check ((file_id is null) = (line is null)),
        constraint adjustments_refused_for_a_reason check ((state = 'refused') = (refusal is not null)),
        constraint adjustments_posted_as_asked check (
            case when state <> 'posted' then posted_points = 0
            else posted_points = points or (is_clipped and posted_points between points and 0) end),
        constraint adjustments_second_person
            check (refusal is not distinct from 'not_approved' or decided_by <> created_by)
    ) with (fillfactor = 80);
    create index adjustments_listed on adjustments (created_at, adjustment_id);
    create index adjustments_of_member on adjustments (member_id, adjustment_id);
    create unique index adjustments_of_file on adjustments (file_id, line) where file_id is not null;
    create index adjustments_lines_to_decide on adjustments (file_id, line)
        where state = 'waiting' and file_id is not null;
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
