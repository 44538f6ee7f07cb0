"""Receipts that wait for a fact, and the rows in which they meet it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.accrual.domain.partner_funds import CLOCKS_APART
from services.accrual.domain.standing import WAITING_STATUSES
from services.accrual.repository.stored_documents import compress, decompress
from shared.database import Transaction

RELEASE_ROWS_MAX = 1_000
MEET_ATTEMPTS_MAX = 5

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_LAY_MEETING_ROWS = """
    insert into meeting_rows (key, laid_at) select key, $2 from unnest($1::text[]) as incoming (key) order by key
    on conflict (key) do nothing
"""
_FORGET_MEETING_ROWS = "delete from meeting_rows where key = any($1::text[])"
_LOCK_MEETING_ROWS = "select key from meeting_rows where key = any($1::text[]) order by key for no key update"

_PARK = """
    insert into parked (natural_key, reason, waits_for, owner_id, identifier_hash, event, parked_at)
    select natural_key, reason, waits_for, owner_id, identifier_hash, event, $1
    from unnest($2::bytea[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::bytea[])
        as incoming (natural_key, reason, waits_for, owner_id, identifier_hash, event)
    order by natural_key
    on conflict (natural_key) do update  -- decided again and still lacking something: since when stays as it was
        set reason = excluded.reason, waits_for = excluded.waits_for, owner_id = excluded.owner_id,
            identifier_hash = excluded.identifier_hash, event = excluded.event
"""

_LOCK_CARRIERS = """
    select natural_key, waits_for, identifier_hash, event from parked where identifier_hash = any($1::text[])
    order by natural_key
    for no key update
"""
_REWRITE = """
    update parked set waits_for = rewritten.waits_for, identifier_hash = null, event = rewritten.event
    from unnest($1::bytea[], $2::text[], $3::bytea[]) as rewritten (natural_key, waits_for, event)
    where parked.natural_key = rewritten.natural_key
"""

_TAKE = """
    delete from parked where natural_key in (
        select natural_key from parked where waits_for = any($1::text[]) order by natural_key limit $2
    )
    returning natural_key, waits_for, event, parked_at
"""

_WAITING_FOR_CONTRACTS = """
    select distinct waits_for from parked
    where waits_for like 'c:%' and split_part(substr(waits_for, 3), '/', 1) = any($1::text[])
"""

# f:<partner>/<microseconds since 1970>: settled by any word of that partner's funds but that they were used up before.
_FUNDS_KNOWN = """
    select distinct waits_for from parked
    join partner_exposures on partner_id = split_part(substr(waits_for, 3), '/', 1)
    where waits_for like 'f:%' and (
        not is_exhausted
        or told_at >= timestamptz 'epoch' + split_part(waits_for, '/', 2)::bigint * interval '1 microsecond')
    order by waits_for
    limit $1
"""

# Receipts that occurred when no version was in force, and those from before keys told when they occurred.
_WAITING_FOR_RULES = """
    select distinct waits_for from parked
    where waits_for like 'rules%' and (waits_for = 'rules' or $1 <= timestamptz 'epoch'
        + nullif(split_part(waits_for, '/', 2), '')::bigint * interval '1 microsecond')
    order by waits_for
    limit $2
"""

_RETURNS_WAIT = "select exists (select from parked where waits_for like 'r:%')"  # an index of its own

# A counterpart that is there while its receipt still waits: one side missed the other. A member in a waiting status
# ($2) is no counterpart yet, unless another member answers for it.
_STRANDED = """
    select distinct waits_for from parked where waits_for is not null and case left(waits_for, 2)
        when 'i:' then exists (
            select from identifiers where identifier_hash = substr(waits_for, 3) and state <> 'blocked')
        when 'm:' then exists (
            select from members where member_id = substr(waits_for, 3)::uuid and status <> all($2::text[])
            union all
            select from ledger_aliases where owner_id = substr(waits_for, 3)::uuid)
        when 't:' then exists (
            select from tills join stores using (partner_id, store_id) join partners using (partner_id)
            where partner_id = split_part(substr(waits_for, 3), '/', 1)
                and waits_for = 't:' || partner_id || '/' || store_id || '/' || till_id)
        when 'c:' then exists (
            select from partner_contracts
            where partner_id = split_part(substr(waits_for, 3), '/', 1)
                and effective_from <= timestamptz 'epoch'
                    + split_part(waits_for, '/', 2)::bigint * interval '1 microsecond'
                and coalesce(effective_until > timestamptz 'epoch'
                    + split_part(waits_for, '/', 2)::bigint * interval '1 microsecond', true))
        when 'f:' then false  -- looked at every second for itself
        when 'r:' then exists (
            select from claims
            where natural_key = decode(substr(waits_for, 3), 'hex') and state in ('awarded', 'refused'))
        else exists (
            select from rule_sets
            where state in ('published', 'retired') and (waits_for = 'rules' or effective_from <= timestamptz 'epoch'
                + nullif(split_part(waits_for, '/', 2), '')::bigint * interval '1 microsecond'))
    end
    limit $1
"""


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A receipt to park: ``reason`` for people, ``waits_for`` the key of the row in which it meets what it lacks.

    ``owner_id`` is whose it is, where that is known; ``identifier_hash`` the one that the event carries.
    """

    natural_key: bytes
    reason: str
    waits_for: str | None
    owner_id: UUID | None
    identifier_hash: str | None
    event: bytes


@dataclass(frozen=True, slots=True)
class Carrier:
    """A parked receipt whose event carries the hash of an identifier."""

    natural_key: bytes
    waits_for: str | None
    identifier_hash: str
    event: bytes


@dataclass(frozen=True, slots=True)
class TakenRow:
    """A receipt taken out of the parked ones."""

    natural_key: bytes
    waits_for: str
    event: bytes
    parked_at: datetime


def waits_for_identifier(identifier_hash: str) -> str:
    """The meeting row of a card's registration."""
    return f"i:{identifier_hash}"


def waits_for_member(member_id: UUID) -> str:
    """The meeting row of a member that this service has not heard of yet, or whose status lets receipts wait."""
    return f"m:{member_id}"


def members_waited_for(keys: Collection[str]) -> list[UUID]:
    """The members whose meeting rows are among these."""
    return [UUID(key.removeprefix("m:")) for key in keys if key.startswith("m:")]


def waits_for_till(partner_id: str, store_id: str, till_id: str) -> str:
    """The meeting row of a till, its store and its partner."""
    return f"t:{partner_id}/{store_id}/{till_id}"


def waits_for_receipt(natural_key: bytes) -> str:
    """Where a return waits for its purchase (they meet in the purchase's claim)."""
    return f"r:{natural_key.hex()}"


def meets_contract(partner_id: str) -> str:
    """The meeting row of a partner's contracts."""
    return f"c:{partner_id}"


def waits_for_contract(partner_id: str, occurred_at: datetime) -> str:
    """What waits for a contract that covers this time: it meets it in ``meets_contract``."""
    return f"{meets_contract(partner_id)}/{(occurred_at - _EPOCH) // _MICROSECOND}"


def contract_waited_for(waits_for: str) -> tuple[str, datetime]:
    """The inverse of ``waits_for_contract``: partner and time."""
    partner_id, _, microseconds = waits_for.removeprefix("c:").partition("/")
    return partner_id, _EPOCH + int(microseconds) * _MICROSECOND


def waits_for_funds(partner_id: str, received_at: datetime) -> str:
    """What waits to hear how its partner stood once it had arrived. Nobody meets here: it is looked at every second."""
    return f"f:{partner_id}/{(received_at + CLOCKS_APART - _EPOCH) // _MICROSECOND}"


MEETS_RULES = "rules"


def waits_for_rules(occurred_at: datetime) -> str:
    """What waits for a rule set that is in force at this time: it meets it in ``MEETS_RULES``."""
    return f"{MEETS_RULES}/{(occurred_at - _EPOCH) // _MICROSECOND}"


async def meet(transaction: Transaction, keys: Collection[str]) -> None:
    """Lay and lock these meeting rows to the commit: after this, look for the other side."""
    ordered = sorted(set(keys))
    for _ in range(MEET_ATTEMPTS_MAX):
        await transaction.raw.execute(_LAY_MEETING_ROWS, ordered, transaction.now)
        if len(await transaction.raw.fetch(_LOCK_MEETING_ROWS, ordered)) == len(ordered):
            return
        # Whoever held one has taken it away, as an erasure does, and retention.
    raise RuntimeError(f"meeting rows were taken away {MEET_ATTEMPTS_MAX} times")


async def forget_meeting_rows(transaction: Transaction, keys: Collection[str]) -> None:
    """Take away rows that this transaction has locked: those that meet here later lay new ones."""
    await transaction.raw.execute(_FORGET_MEETING_ROWS, sorted(keys))


async def park(transaction: Transaction, rows: Sequence[ParkedRow]) -> None:
    """Let receipts wait. The caller holds their claims and their meeting rows."""
    if rows:
        await transaction.raw.execute(
            _PARK,
            transaction.now,
            [row.natural_key for row in rows],
            [row.reason for row in rows],
            [row.waits_for for row in rows],
            [row.owner_id for row in rows],
            [row.identifier_hash for row in rows],
            [compress(row.event) for row in rows],
        )


async def lock_carriers(transaction: Transaction, identifier_hashes: Collection[str]) -> list[Carrier]:
    """The parked receipts that carry one of these hashes, locked."""
    rows = await transaction.raw.fetch(_LOCK_CARRIERS, list(identifier_hashes))
    return [
        Carrier(row["natural_key"], row["waits_for"], row["identifier_hash"], decompress(row["event"])) for row in rows
    ]


async def rewrite(transaction: Transaction, rows: Sequence[tuple[bytes, str | None, bytes]]) -> None:
    """Give locked receipts another key to wait for and an event that carries no hash: natural key, key, event."""
    await transaction.raw.execute(
        _REWRITE,
        [natural_key for natural_key, _, _ in rows],
        [waits_for for _, waits_for, _ in rows],
        [compress(event) for _, _, event in rows],
    )


async def take(transaction: Transaction, waits_for: Collection[str]) -> list[TakenRow]:
    """Take out what waits for these keys, at most ``RELEASE_ROWS_MAX`` rows; the sweep comes back for the rest."""
    rows = await transaction.raw.fetch(_TAKE, list(waits_for), RELEASE_ROWS_MAX)
    return [
        TakenRow(row["natural_key"], row["waits_for"], decompress(row["event"]), row["parked_at"])
        for row in sorted(rows, key=lambda row: row["natural_key"])
    ]


async def find_waiting_for_contracts(transaction: Transaction, partner_ids: Collection[str]) -> list[str]:
    """What receipts of these partners wait for, where it is a contract."""
    rows = await transaction.raw.fetch(_WAITING_FOR_CONTRACTS, list(partner_ids))
    return [row["waits_for"] for row in rows]


async def find_funds_known(transaction: Transaction) -> list[str]:
    """What receipts wait for whose partner's funds are known by now; at most ``RELEASE_ROWS_MAX``."""
    return [row["waits_for"] for row in await transaction.raw.fetch(_FUNDS_KNOWN, RELEASE_ROWS_MAX)]


async def find_waiting_for_rules(transaction: Transaction, effective_from: datetime) -> list[str]:
    """What receipts wait for that occurred from this time on, where it is rules; at most ``RELEASE_ROWS_MAX``."""
    rows = await transaction.raw.fetch(_WAITING_FOR_RULES, effective_from, RELEASE_ROWS_MAX)
    return [row["waits_for"] for row in rows]


async def do_returns_wait(transaction: Transaction) -> bool:
    """Whether any return waits for its purchase: few ever do, and asking for each purchase would cost more."""
    return bool(await transaction.raw.fetchval(_RETURNS_WAIT))


async def find_stranded(transaction: Transaction) -> list[str]:
    """The keys of counterparts that are there while a receipt still waits for them."""
    rows = await transaction.raw.fetch(_STRANDED, RELEASE_ROWS_MAX, WAITING_STATUSES)
    return [row["waits_for"] for row in rows]
