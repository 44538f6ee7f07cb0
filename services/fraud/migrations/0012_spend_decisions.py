"""Asks before points leave, with what was decided of each; and the versions of the rules over them.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A version never changes; digest is the SHA-256 of the body's bytes, which is why the body is text.
    """
    create table spend_rule_sets (
        version integer primary key constraint spend_rule_sets_version_positive check (version > 0),
        digest text not null,
        body text not null,
        published_at timestamptz not null
    )
    """,
    # One row an ask, by the id that the asking service made of its own request's key: what makes two calls get one
    # decision. Windows are read from here too: whatever became of an ask, it counts for later ones.
    # outcomes: {rule code: [verdict, observed figures in the order of the rule's checks]}.
    # went_unasked_at: when it was heard that the points left before we had answered.
    """
    create table spend_decisions (
        decision_id uuid primary key,
        kind text not null constraint spend_decisions_kind_known check (kind in ('hold', 'gift')),
        member_id uuid not null,
        partner_id text,
        store_id text,
        point_type text not null,
        points bigint not null constraint spend_decisions_points_positive check (points > 0),
        verdict text not null constraint spend_decisions_verdict_known check (verdict in ('allow', 'step_up', 'deny')),
        rule_set_version integer not null,
        outcomes jsonb not null,
        asked_at timestamptz not null,
        decided_at timestamptz not null,
        went_unasked_at timestamptz
    )
    """,
    "create index spend_decisions_of_member on spend_decisions (member_id, asked_at)",
    "create index spend_decisions_asked on spend_decisions (asked_at)",
)


def upgrade() -> None:
    """Nothing was asked before."""
    for statement in STATEMENTS:
        op.execute(statement)
