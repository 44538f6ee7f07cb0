"""Households: who belongs together, with which rights, who is invited, and how it all came about."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

HOUSEHOLDS = (
    # The row that everybody locks who changes anything of a household, before its members. A dissolved one stays.
    """
    create table households (
        household_id uuid primary key,
        version bigint not null constraint households_version_counts check (version >= 1)
    ) with (fillfactor = 90)
    """,
    # Beside household_members, so that whoever has locked a member knows the household without another look.
    "alter table members add column household_id uuid constraint members_household_known references households",
    """
    create table household_members (
        member_id uuid primary key constraint household_members_member_known references members,  -- one each
        household_id uuid not null constraint household_members_household_known references households,
        contributes boolean not null,
        may_spend boolean not null,
        shows_purchases boolean not null,
        since_version bigint not null,  -- the household's, when the member came: the order of joining
        joined_at timestamptz not null
    )
    """,
    "create index household_members_household_id on household_members (household_id)",
    # One a pair: a newer one takes the older one's place. It is deleted when it is accepted.
    """
    create table household_invitations (
        household_id uuid not null constraint household_invitations_household_known references households,
        member_id uuid not null constraint household_invitations_member_known references members,
        invited_by uuid not null,
        token_sha256 bytea not null constraint household_invitations_token_unique unique,
        contributes boolean not null,
        may_spend boolean not null,
        expires_at timestamptz not null,
        primary key (household_id, member_id)
    )
    """,
    "create index household_invitations_member_id on household_invitations (member_id)",
    # Append-only. No references: the history outlives everything.
    """
    create table household_changes (
        change_id uuid primary key,
        household_id uuid not null,
        version bigint not null,  -- the household's, after the change; an invitation raises none
        member_id uuid not null,  -- whom it concerns
        action text not null constraint household_changes_action_known
            check (action in ('found', 'invite', 'join', 'leave', 'change_rights')),
        contributes boolean not null,
        may_spend boolean not null,
        shows_purchases boolean not null,
        stated_by uuid,  -- the member who wanted it; none where a membership ended
        author text not null,
        changed_at timestamptz not null
    )
    """,
    "create index household_changes_household_id on household_changes (household_id, change_id)",
    """
    create index household_changes_of_member on household_changes (member_id, changed_at)
        where action in ('found', 'join', 'leave')
    """,
)


def upgrade() -> None:
    """Create what they are kept in."""
    for statement in HOUSEHOLDS:
        op.execute(statement)
