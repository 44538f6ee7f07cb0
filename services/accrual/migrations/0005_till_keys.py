"""The key that a till had before, and until when it is good.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two keys of a till for a time."""
    op.execute("alter table tills add column previous_key_sha256 text, add column previous_key_until timestamptz")
    op.execute("create index tills_previous_key on tills (previous_key_sha256) where previous_key_sha256 is not null")
