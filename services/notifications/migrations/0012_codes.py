"""Codes by which members confirm that points may leave: what each message is about. No code stands here.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# One row a challenge, kept as long as its message: so a replay sends nothing twice. The code follows from challenge_id
# and the key of this id when the mail is written, and is kept nowhere.
CODES = """
    create table code_messages (
        message_id uuid primary key references messages,
        challenge_id uuid not null constraint code_messages_once unique,
        kind text not null,
        key_id text not null,
        partner_id text,
        point_type text not null,
        points bigint not null constraint code_messages_points_positive check (points > 0),
        expires_at timestamptz not null
    )
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(CODES)
