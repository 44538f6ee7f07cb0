"""Members whom backtests name stand beside the reports, so that an erasure finds them.

Revision ID: 0038
Revises: 0037
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

CHANGES = """
    -- Of a report: those whose points would rise or fall most.
    create table backtest_members (
        backtest_id uuid not null references backtests on delete cascade,
        member_id uuid not null,
        net_points_difference bigint not null,
        primary key (backtest_id, member_id)
    );
    create index backtest_members_of_member on backtest_members (member_id);

    insert into backtest_members (backtest_id, member_id, net_points_difference)
    select backtest_id, (named ->> 'member_id')::uuid, (named ->> 'net_points_difference')::bigint
    from backtests
        cross join lateral (select convert_from(report, 'UTF8')::jsonb -> 'members' as members) as told
        cross join lateral jsonb_array_elements(
            coalesce(nullif(members #> '{winners,foremost}', 'null'), '[]')
            || coalesce(nullif(members #> '{losers,foremost}', 'null'), '[]')) as named
        join members on members.member_id = (named ->> 'member_id')::uuid and erased_version is null
    where report is not null;
    update backtests set report = convert_to(
        jsonb_set(
            jsonb_set(convert_from(report, 'UTF8')::jsonb, '{members,winners,foremost}', 'null'),
            '{members,losers,foremost}', 'null'
        )::text, 'UTF8')
    where report is not null;
"""


def upgrade() -> None:
    """Take them out of the reports that are there."""
    op.execute(CHANGES)
