"""Where stores are and when they are open; two keys of a till for a time.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All of it may be unknown."""
    op.execute(
        """
        alter table stores
            add column gln text constraint stores_gln_has_13_digits check (gln ~ '^[0-9]{13}$'),
            add column latitude_microdegrees integer
                constraint stores_latitude_on_globe check (abs(latitude_microdegrees) <= 90000000),
            add column longitude_microdegrees integer
                constraint stores_longitude_on_globe check (abs(longitude_microdegrees) <= 180000000),
            add column zone text,
            add column opening_hours jsonb not null default '[]',
            add constraint stores_point_is_whole
                check ((latitude_microdegrees is null) = (longitude_microdegrees is null))
        """
    )
    op.execute(
        """
        alter table tills
            add column previous_key_sha256 text,
            add column previous_key_until timestamptz,
            add constraint tills_previous_key_ends
                check ((previous_key_sha256 is null) = (previous_key_until is null))
        """
    )
