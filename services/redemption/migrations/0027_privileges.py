"""Privileges: what members are entitled to, and to whom of them offers were granted.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# What a second person read is what is given, for ever; only an end may be put to it.
PRIVILEGES = """
    create table redemption_privileges (
        privilege_id text primary key,
        terms jsonb not null,
        state text not null constraint redemption_privileges_state_known
            check (state in ('proposed', 'approved', 'dropped')),
        proposed_by text not null,
        proposed_at timestamptz not null,
        approved_by text constraint redemption_privileges_four_eyes check (approved_by <> proposed_by),
        approved_at timestamptz,
        ended_by text,
        ended_at timestamptz,
        end_reason text,
        revision bigint not null constraint redemption_privileges_revision_counts check (revision >= 1),
        constraint redemption_privileges_approved_by_somebody check (
            (approved_by is not null) = (state = 'approved') and (approved_by is null) = (approved_at is null)
        )
    )
"""
KEEP_TERMS = """
    create function redemption_privileges_keep_terms() returns trigger language plpgsql as $$
    begin
        if (new.privilege_id, new.terms, new.proposed_by)
                is distinct from (old.privilege_id, old.terms, old.proposed_by)
            or old.state = 'dropped'
            or (old.state = 'approved' and new.state <> 'approved')
            or (old.ended_at is not null and new.ended_at is distinct from old.ended_at)
        then
            raise exception 'the terms of a privilege do not change'
                using errcode = 'check_violation', constraint = 'redemption_privileges_keep_terms';
        end if;
        return new;
    end
    $$
"""
KEPT = """
    create trigger redemption_privileges_keep_terms before update on redemption_privileges
        for each row execute function redemption_privileges_keep_terms()
"""

# Under the id that the member had then; the survivor of a merge has what either was granted.
GRANTS = """
    create table redemption_privilege_grants (
        privilege_id text not null,
        member_id uuid not null,
        last_day date,
        granted_by text not null,
        granted_at timestamptz not null,
        primary key (member_id, privilege_id)
    )
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(PRIVILEGES)
    op.execute(KEEP_TERMS)
    op.execute(KEPT)
    op.execute(GRANTS)
