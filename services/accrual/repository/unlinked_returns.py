"""Returns that name no purchase: what rules made of them, and what people are to make of those that wait."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.accrual.domain.unlinked_cases import CaseState, UnlinkedCase
from services.accrual.repository.stored_documents import compress, decompress, without_identifier
from shared.database import Transaction

_COLUMNS = """
    natural_key, partner_id, owner_id, occurred_at, came_at, state, rule_set_version, mapping_version, points,
    became_debt, clipped, event, proposal, original_key, line_ids, original_line_ids, reason_code, proposed_by,
    proposed_at, decided_by, decided_at
"""

# One that waits is decided again when its till sends it once more: what people have made of it stays.
_SAVE = """
    insert into unlinked_returns (
        natural_key, partner_id, owner_id, occurred_at, came_at, decided_at, state, rule_set_version, mapping_version,
        points, became_debt, clipped, event)
    select natural_key, partner_id, owner_id, occurred_at, $1::timestamptz,
        case when state <> 'waiting' then $1::timestamptz end, state,
        rule_set_version, mapping_version, points, became_debt, clipped, event
    from unnest($2::bytea[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[], $7::bigint[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[])
        as incoming (natural_key, partner_id, owner_id, occurred_at, state, rule_set_version, mapping_version, points,
            became_debt, clipped, event)
    order by natural_key
    on conflict (natural_key) do update
        set state = excluded.state, decided_at = excluded.decided_at, rule_set_version = excluded.rule_set_version,
            mapping_version = excluded.mapping_version, points = excluded.points,
            became_debt = excluded.became_debt, clipped = excluded.clipped
        where unlinked_returns.state = 'waiting' and excluded.state <> 'waiting'
"""

# Whoever links one holds its claim, as whoever asks does.
_LINKS = f"select {_COLUMNS} from unlinked_returns where natural_key = any($1::bytea[]) and state = 'linked'"
_FIND = f"select {_COLUMNS} from unlinked_returns where natural_key = $1"
_SURVIVOR = "select survivor_id from ledger_aliases where owner_id = $1"
_WAITING = "select count(*)::bigint, min(came_at) from unlinked_returns where state = 'waiting'"  # by the index
_LIST = f"""
    select {_COLUMNS} from unlinked_returns
    where state = $1 and ($2::text is null or partner_id = $2)
        and ($3::timestamptz is null or (came_at, natural_key) > ($3, $4))
    order by came_at, natural_key
    limit $5
"""
_OF_MEMBER = f"""
    select {_COLUMNS} from unlinked_returns where owner_id = $1 and natural_key > $2 order by natural_key limit $3
"""
_CHANGE = """
    update unlinked_returns
    set state = $2, proposal = $3, original_key = $4, line_ids = $5, original_line_ids = $6, reason_code = $7,
        proposed_by = $8, proposed_at = $9, decided_by = $10, decided_at = $11
    where natural_key = $1
"""
_WAIT_NO_MORE = "delete from parked where natural_key = $1"


class UnlinkedRow(NamedTuple):
    """What became of an unlinked return: ``event`` is the document as it came."""

    natural_key: bytes
    partner_id: str
    owner_id: UUID | None
    occurred_at: datetime
    state: CaseState
    rule_set_version: int | None
    mapping_version: int
    points: int
    became_debt: int
    clipped: int
    event: bytes


async def save(transaction: Transaction, rows: Sequence[UnlinkedRow]) -> None:
    """Keep unlinked returns whose claims the caller holds; what is known of one stays as it is."""
    stored = [row._replace(event=compress(without_identifier(row.event))) for row in rows]
    if stored:
        await transaction.raw.execute(_SAVE, transaction.now, *map(list, zip(*stored, strict=True)))


async def find_links(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, UnlinkedCase]:
    """Those of the returns that people have linked to a purchase. The caller holds their claims."""
    rows = await transaction.raw.fetch(_LINKS, list(keys))
    return {row["natural_key"]: _case(row) for row in rows}


async def find(transaction: Transaction, natural_key: bytes) -> UnlinkedCase | None:
    """An unlinked return as it stands; whoever changes it holds its claim."""
    row = await transaction.raw.fetchrow(_FIND, natural_key)
    return None if row is None else _case(row)


async def find_told(transaction: Transaction, natural_key: bytes) -> UnlinkedCase | None:
    """The same, under whoever answers for its member now."""
    case = await find(transaction, natural_key)
    if case is None or case.owner_id is None:
        return case
    survivor_id = await transaction.raw.fetchval(_SURVIVOR, case.owner_id)
    return case if survivor_id is None else replace(case, owner_id=survivor_id)


async def count_waiting(transaction: Transaction) -> tuple[int, datetime | None]:
    """How many wait for people, and since when the oldest of them does."""
    row = await transaction.raw.fetchrow(_WAITING)
    return (0, None) if row is None else (row[0], row[1])


async def load_page(
    transaction: Transaction,
    state: CaseState,
    partner_id: str | None,
    after: tuple[datetime, bytes] | None,
    rows_max: int,
) -> list[UnlinkedCase]:
    """Unlinked returns of one state, the oldest first."""
    came_at, natural_key = after if after is not None else (None, None)
    rows = await transaction.raw.fetch(_LIST, state, partner_id, came_at, natural_key, rows_max)
    return [_case(row) for row in rows]


async def load_of_member(
    transaction: Transaction, member_id: UUID, after_key: bytes, rows_max: int
) -> list[UnlinkedCase]:
    """A member's, by natural key."""
    return [_case(row) for row in await transaction.raw.fetch(_OF_MEMBER, member_id, after_key, rows_max)]


async def change(transaction: Transaction, case: UnlinkedCase) -> None:
    """Write what people have proposed for a return, or made of it. The caller holds its claim."""
    await transaction.raw.execute(
        _CHANGE,
        case.natural_key,
        case.state,
        case.proposal,
        case.original_key,
        list(case.lines),
        list(case.lines.values()),
        case.reason_code,
        case.proposed_by,
        case.proposed_at,
        case.decided_by,
        case.decided_at,
    )


async def wait_no_more(transaction: Transaction, natural_key: bytes) -> None:
    """Take a return that people have decided on off what waits."""
    await transaction.raw.execute(_WAIT_NO_MORE, natural_key)


def _case(row: asyncpg.Record) -> UnlinkedCase:
    known: dict[str, Any] = dict(row)
    lines = dict(zip(known.pop("line_ids"), known.pop("original_line_ids"), strict=True))
    event = known.pop("event")
    return UnlinkedCase(**known, lines=lines, event=None if event is None else decompress(event))
