"""Every version of partners: a receipt is judged by the one of its own time, so all of them can be told again.

Revision ID: 0017
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

VERSIONS = """
    create table partner_versions (
        partner_id text collate "C" not null constraint partner_versions_partner_known references partners,
        version bigint not null,
        name text not null,
        kind text not null,
        state text not null,
        in_force_from timestamptz not null,
        reason_code text not null,
        last_earn_on date,
        last_spend_on date,
        returns_until date,
        line_tolerance_minor bigint not null,
        receipt_tolerance_minor bigint not null,
        primary key (partner_id, version)
    )
"""

PRESENT = """
    insert into partner_versions
    select partner_id, version, name, kind, state, in_force_from, reason_code, last_earn_on, last_spend_on,
        returns_until, line_tolerance_minor, receipt_tolerance_minor
    from partners
"""

# Those before the present one, from the acts that made them.
EARLIER = """
    insert into partner_versions
    select partner_id, (after ->> 'version')::bigint, after ->> 'name', after #>> '{standing,kind}',
        after #>> '{standing,state}', (after #>> '{standing,in_force_from}')::timestamptz,
        after #>> '{standing,reason_code}', (after #>> '{standing,last_earn_on}')::date,
        (after #>> '{standing,last_spend_on}')::date, (after #>> '{standing,returns_until}')::date,
        (after ->> 'line_tolerance_minor')::bigint, (after ->> 'receipt_tolerance_minor')::bigint
    from audit_log join partners using (partner_id)
    where action in ('partner.registered', 'partner.changed') and after -> 'standing' is not null
    on conflict (partner_id, version) do nothing
"""


def upgrade() -> None:
    """Create it, with what is known of partners that are there."""
    for statement in (VERSIONS, PRESENT, EARLIER):
        op.execute(statement)
