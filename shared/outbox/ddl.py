"""The outbox's tables, for a service's first migration."""

SLOTS = 16

OUTBOX_DDL: tuple[str, ...] = (
    """
    create table outbox (
        slot smallint not null,
        id bigint generated always as identity (cache 1),
        recorded_at timestamptz not null default now(),  -- real time, for the age of what waits
        topic text not null,
        key text not null,
        headers bytea not null,
        body bytea not null,
        primary key (slot, id)
    )
    """,
    # A queue: rows live for milliseconds, so dead ones are cleared by count and not by share, at full speed. Cutting
    # off the table's end would take an exclusive lock each time it runs empty.
    """
    alter table outbox set (
        autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_insert_threshold = -1,
        autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 100000,
        autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = false
    )
    """,
    # Bodies are compressed poorly and read once: the time for trying is not worth it.
    "alter table outbox alter column body set storage external",
    # A lease is held by an owner under an epoch until a moment of the database's real time.
    """
    create table outbox_slots (
        slot smallint primary key,
        owner text not null default '',
        epoch bigint not null default 0,
        until timestamptz not null default '-infinity'
    ) with (fillfactor = 50)
    """,
    # Who is alive, so that each takes its share of the slots.
    """
    create table outbox_relays (
        owner text primary key,
        until timestamptz not null
    ) with (fillfactor = 50)
    """,
    f"insert into outbox_slots (slot) select generate_series(0, {SLOTS - 1})",
)
