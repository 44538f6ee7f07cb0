"""Conditions of joining, members whose card joins before them, and who was brought by whom."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

JOINING = (
    """
    alter table members add column joined_by text not null default 'web'
        constraint members_joined_by_known check (joined_by in ('pos', 'web', 'app', 'import'))
    """,
    # Versions never change; the newest counts.
    """
    create table joining_conditions (
        version integer primary key constraint joining_conditions_version_counts check (version >= 1),
        conditions text not null,
        declared_by text not null,
        declared_at timestamptz not null
    )
    """,
    "create table referral_codes (member_id uuid primary key references members, code text not null unique)",
    # Who was brought by whom: between two ids, and no more.
    """
    create table referrals (
        member_id uuid primary key references members,
        referrer_id uuid not null references members,
        referred_at timestamptz not null,
        constraint referrals_by_another check (member_id <> referrer_id)
    )
    """,
    "create index referrals_of_referrer on referrals (referrer_id)",
)


def upgrade() -> None:
    """Create what joining asks for."""
    for statement in JOINING:
        op.execute(statement)
