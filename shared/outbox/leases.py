"""Who relays which slot: leases in the database's time, so that each slot is relayed by one at a time, in order."""

import time
from collections.abc import Callable

from shared.database.engine import RawConnection
from shared.outbox.ddl import SLOTS
from shared.outbox.metrics import OLDEST_SECONDS, SLOTS_HELD

LEASE_SECONDS = 5.0
BEAT_SECONDS = 1.0
# Ours ends earlier by our own clock than by the database's, whatever the two think of a second.
LEASE_MARGIN_SECONDS = 1.0

_ALIVE = """
    with gone as (
        delete from outbox_relays where until < clock_timestamp() and owner <> $1
    ), me as (
        insert into outbox_relays (owner, until) values ($1, clock_timestamp() + make_interval(secs => $2))
        on conflict (owner) do update set until = excluded.until
    )
    select 1 + count(*) from outbox_relays where owner <> $1 and until >= clock_timestamp()
"""

_RENEW = """
    update outbox_slots
    set until = clock_timestamp() + make_interval(secs => $2)
    from unnest($3::smallint[], $4::bigint[]) as held (slot, epoch)
    where outbox_slots.slot = held.slot and outbox_slots.epoch = held.epoch and outbox_slots.owner = $1
    returning outbox_slots.slot
"""

# A successor under the same name takes its predecessor's slots at once; others wait until a lease has run out.
_CLAIM = """
    update outbox_slots
    set owner = $1, epoch = epoch + 1, until = clock_timestamp() + make_interval(secs => $2)
    where slot in (
        select slot from outbox_slots
        where slot <> all ($3::smallint[]) and (owner = $1 or until < clock_timestamp())
        order by owner = $1 desc, slot
        limit $4
        for update skip locked
    )
    returning slot, epoch
"""

_RELEASE = """
    update outbox_slots
    set until = '-infinity', owner = ''
    from unnest($2::smallint[], $3::bigint[]) as held (slot, epoch)
    where outbox_slots.slot = held.slot and outbox_slots.epoch = held.epoch and outbox_slots.owner = $1
"""

_OLDEST = """
    select coalesce(extract(epoch from clock_timestamp() - min(oldest.recorded_at)), 0)::float8
    from unnest($1::smallint[]) as held (slot)
        cross join lateral (
            select recorded_at from outbox where outbox.slot = held.slot order by id limit 1
        ) as oldest
"""

_LEAVE = "delete from outbox_relays where owner = $1"


class Leases:
    """The slots of one relay. ``owner`` is unique among living relays; a successor may bear a dead one's name."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._held: dict[int, int] = {}  # slot -> epoch
        self._beat_at_seconds = 0.0
        self._held_until_seconds = 0.0

    def held(self) -> dict[int, int]:
        """The slots that are ours now, with their epochs; none once the lease may have run out."""
        return dict(self._held) if time.monotonic() < self._held_until_seconds else {}

    async def keep(self, connection: RawConnection, is_free: Callable[[int], bool] = lambda _: True) -> None:
        """About once a second: renew what is held, and come to hold a fair share of the slots.

        Only slots that are ``is_free`` are given away: another relay would send again what is under way.
        """
        started_seconds = time.monotonic()
        if started_seconds < self._beat_at_seconds:
            return
        alive = await connection.fetchval(_ALIVE, self.owner, LEASE_SECONDS)
        share = -(-SLOTS // alive)
        if self._held:
            renewed = await connection.fetch(
                _RENEW, self.owner, LEASE_SECONDS, list(self._held), list(self._held.values())
            )
            self._held = {slot: self._held[slot] for (slot,) in renewed}
        if len(self._held) > share:
            free = [slot for slot in self._held if is_free(slot)]
            await self._release(connection, {slot: self._held[slot] for slot in free[: len(self._held) - share]})
        elif len(self._held) < share:
            claimed = await connection.fetch(
                _CLAIM, self.owner, LEASE_SECONDS, list(self._held), share - len(self._held)
            )
            self._held.update((slot, epoch) for slot, epoch in claimed)
        self._beat_at_seconds = started_seconds + BEAT_SECONDS
        self._held_until_seconds = started_seconds + LEASE_SECONDS - LEASE_MARGIN_SECONDS
        SLOTS_HELD.set(len(self._held))
        OLDEST_SECONDS.set(await connection.fetchval(_OLDEST, list(self._held)))

    async def leave(self, connection: RawConnection) -> None:
        """Give every slot back, so that others need not wait for the leases to run out."""
        await self._release(connection, dict(self._held))
        await connection.execute(_LEAVE, self.owner)

    async def _release(self, connection: RawConnection, slots: dict[int, int]) -> None:
        await connection.execute(_RELEASE, self.owner, list(slots), list(slots.values()))
        for slot in slots:
            del self._held[slot]
