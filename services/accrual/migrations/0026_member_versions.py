"""What rules may ask of a member, as it was at a receipt's time: birthday without its year, and household.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# Filled with the birthdays that are known, as of version 0: whatever is told of a member again is newer.
TABLE = """
    create table member_versions (
        member_id uuid not null,
        since timestamptz not null,
        version bigint not null,
        birth_month smallint,
        birth_day smallint,
        household_id uuid,
        primary key (member_id, since)
    ) with (fillfactor = 90);
    insert into member_versions (member_id, since, version, birth_month, birth_day)
    select member_id, '1970-01-01T00:00:00Z', 0, birth_month, birth_day
    from member_days
        join members using (member_id)
    where status <> 'merged' and erased_version is null;
"""


def upgrade() -> None:
    """Make room for it."""
    op.execute(TABLE)
