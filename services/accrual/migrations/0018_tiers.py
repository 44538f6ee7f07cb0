"""Tiers: schemes, what members have collected by day, the tier that they hold, grants, and what has changed.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = """
    create table tier_schemes (
        version integer primary key,
        effective_from timestamptz not null,
        document jsonb not null,
        published_by text not null,
        published_at timestamptz not null
    );

    -- When a member joined, from which anniversaries are counted; null where it was not heard of.
    alter table members add column enrolled_at timestamptz;

    -- What counts towards a tier, on the day of the receipt in the scheme's zone. What came back is taken off there.
    create table tier_days (
        member_id uuid not null,
        day date not null,
        points bigint not null,
        spend_minor bigint not null,
        visits bigint not null,
        primary key (member_id, day)
    ) with (fillfactor = 80);

    -- A member's tier as of graded_at: the one in force since then, and the one that was earned. next_at is when time
    -- changes something; granted_until is the end of the last grant. version counts the changes of the tier.
    create table tier_standings (
        member_id uuid primary key,
        version bigint not null,
        tier text not null,
        since timestamptz,
        earned text not null,
        is_landed boolean not null,
        grace_until timestamptz,
        graded_next_at timestamptz,
        graded_at timestamptz not null,
        scheme_version integer not null,
        granted_until timestamptz,
        next_at timestamptz
    ) with (fillfactor = 80);
    create index tier_standings_next_at on tier_standings (next_at, member_id) where next_at is not null;
    create index tier_standings_scheme_version on tier_standings (scheme_version);

    create table tier_grants (
        grant_id uuid primary key,
        member_id uuid not null,
        tier text not null,
        granted_at timestamptz not null,
        ends_at timestamptz not null,
        reason_code text not null,
        author text not null,
        revoked_at timestamptz,
        revoked_by text,
        constraint tier_grants_end check (ends_at > granted_at),
        constraint tier_grants_revoked check ((revoked_at is null) = (revoked_by is null))
    );
    create index tier_grants_of_member on tier_grants (member_id, ends_at);

    -- Every change of a member's tier, under the member's own version.
    create table tier_changes (
        member_id uuid not null,
        version bigint not null,
        old_tier text not null,
        new_tier text not null,
        reason text not null,
        effective_at timestamptz not null,
        until timestamptz,
        scheme_version integer not null,
        decided_at timestamptz not null,
        primary key (member_id, version)
    );
"""


def upgrade() -> None:
    """Make room for tiers."""
    op.execute(TABLES)
