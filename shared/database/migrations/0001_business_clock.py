"""The clock's offset: how far business time is ahead of the database's. No row, or zero, outside tests."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table business_clock (
            singleton boolean primary key default true check (singleton),
            clock_offset interval not null check (clock_offset >= interval '0')
        )
    """)
