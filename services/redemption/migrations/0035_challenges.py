"""Codes by which members confirm that points may leave.

Revision ID: 0035
Revises: 0034
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# No code, and nothing that leads to it: it follows from challenge_id and a key that is in the settings alone.
# decision_id follows from the request's client and Idempotency-Key; request_hash is what its answers are kept under.
CHALLENGES = """
    create table redemption_challenges (
        challenge_id uuid primary key,
        decision_id uuid not null constraint redemption_challenges_once unique,
        member_id uuid not null,
        kind text not null constraint redemption_challenges_kind_known check (kind in ('hold', 'gift')),
        partner_id text,
        point_type text not null,
        points bigint not null constraint redemption_challenges_points_positive check (points > 0),
        request_hash bytea not null,
        key_id text not null,
        sent_at timestamptz not null,
        expires_at timestamptz not null,
        wrong_tries smallint not null default 0
            constraint redemption_challenges_tries_bounded check (wrong_tries between 0 and 5),
        used_at timestamptz
    ) with (fillfactor = 80)
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(CHALLENGES)
    op.execute("create index redemption_challenges_of_member on redemption_challenges (member_id, sent_at)")
    op.execute("create index redemption_challenges_sent on redemption_challenges (sent_at)")
