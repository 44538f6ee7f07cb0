"""Tables that grow for ever are partitioned by month of business time, and made three months ahead.

``tessera migrate`` calls every ``…_make_partitions`` function of a component, so does whoever moves the test clock. A
default partition takes what no month is there for; making that month later moves it there.
"""


def month_partitions_ddl(table: str, column: str) -> tuple[str, ...]:
    """Statements that give ``table`` (partitioned by range of ``column``, a timestamptz) its partitions.

    The function ``<table>_make_partitions(business_time, months_ahead)`` makes the month of a business time and those
    after it, and returns how many were missing. Safe to repeat.
    """
    return (
        f"create table {table}_default partition of {table} default",
        f"""
        create function {table}_make_partitions(business_time timestamptz, months_ahead integer default 3)
        returns integer language plpgsql as $$
        declare
            first_day timestamp := date_trunc('month', business_time at time zone 'UTC');
            starts timestamptz;
            ends timestamptz;
            partition_name text;
            made integer := 0;
        begin
            for month in 0..months_ahead loop
                starts := (first_day + make_interval(months => month)) at time zone 'UTC';
                ends := (first_day + make_interval(months => month + 1)) at time zone 'UTC';
                partition_name := '{table}_' || to_char(starts at time zone 'UTC', 'YYYY_MM');
                continue when to_regclass(partition_name) is not null;
                -- Made apart and attached: readers and writers of other months go on.
                execute format('create table %I (like {table} including defaults including constraints)',
                    partition_name);
                execute format('with moved as (
                        delete from {table}_default as waiting
                        where waiting.{column} >= %L and waiting.{column} < %L returning *
                    ) insert into %I select * from moved', starts, ends, partition_name);
                execute format('alter table {table} attach partition %I for values from (%L) to (%L)',
                    partition_name, starts, ends);
                made := made + 1;
            end loop;
            return made;
        end $$
        """,
        f"revoke all on function {table}_make_partitions from public",
        f"select {table}_make_partitions(now())",
    )


def partition_makers(schema: str) -> str:
    """A query for the names of all such functions of a component; ``schema`` is one of ours."""
    return rf"""
        select quote_ident(proname) from pg_proc
        where pronamespace = to_regnamespace('{schema}') and proname like '%\_make\_partitions'
    """
