"""Members' windows: the lock, what is in them, and what changed."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from services.fraud.domain.member_state import CASE_RECEIPTS_MAX, MemberState, OpenCase, WindowChange
from services.fraud.domain.receipts import Receipt
from shared.database import Transaction

# Two statements: a row that another transaction has just inserted is waited for by the first, seen by the second.
_ENSURE = """
    insert into member_windows (member_id)
    select member_id from unnest($1::uuid[]) as wanted (member_id)
    order by member_id  -- two batches that insert in different orders would deadlock
    on conflict do nothing
"""
_LOCK = "select 1 from member_windows where member_id = any($1::uuid[]) order by member_id for no key update"

_LOAD_RECEIPTS = """
    select member_id, occurred_at, receipt_key, operator_hash, store_id, shift_number, day, had_choice, fired, is_held,
        is_cleared
    from window_receipts
    where member_id = any($1::uuid[])
    order by member_id, occurred_at, receipt_key
"""
_LOAD_OPEN_CASES = """
    select member_id, opened_by, operator_hash, rule_code, receipts, case_id
    from cases
    where member_id = any($1::uuid[]) and state = 'open' and receipts < $2
    order by case_id
"""

_ADD = """
    insert into window_receipts (member_id, occurred_at, receipt_key, operator_hash, store_id, shift_number, day,
        had_choice, fired, is_held, is_cleared)
    select member_id, occurred_at, receipt_key, operator_hash, store_id, shift_number, day, had_choice,
        string_to_array(fired, ' '), is_held, false
    from unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::text[], $5::text[], $6::bigint[], $7::date[],
            $8::boolean[], $9::text[], $10::boolean[])
        as added (member_id, occurred_at, receipt_key, operator_hash, store_id, shift_number, day, had_choice, fired,
            is_held)
"""
_MARK = """
    update window_receipts as receipt
    set fired = string_to_array(marked.fired, ' '), is_held = marked.is_held
    from unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::text[], $5::boolean[])
        as marked (member_id, occurred_at, receipt_key, fired, is_held)
    where receipt.member_id = marked.member_id and receipt.occurred_at = marked.occurred_at
        and receipt.receipt_key = marked.receipt_key
"""
_DROP = """
    delete from window_receipts as receipt
    using unnest($1::uuid[], $2::timestamptz[], $3::bytea[]) as dropped (member_id, occurred_at, receipt_key)
    where receipt.member_id = dropped.member_id and receipt.occurred_at = dropped.occurred_at
        and receipt.receipt_key = dropped.receipt_key
"""
_CLEAR = "update window_receipts set is_cleared = true where member_id = $1 and receipt_key = any($2::bytea[])"


async def lock(transaction: Transaction, members: Iterable[UUID]) -> None:
    """Lock these members' windows to the commit, in key order; windows that are not there yet are made."""
    wanted = sorted(set(members))
    await transaction.raw.execute(_ENSURE, wanted)
    await transaction.raw.execute(_LOCK, wanted)


async def load(transaction: Transaction, members: Iterable[UUID]) -> tuple[dict[UUID, MemberState], dict[bytes, UUID]]:
    """The states of members whose windows are locked; and the ids of their open cases, by the opening receipt."""
    wanted = list(members)
    receipts: dict[UUID, list[Receipt]] = {member_id: [] for member_id in wanted}
    for row in await transaction.raw.fetch(_LOAD_RECEIPTS, wanted):
        receipts[row[0]].append(Receipt._make((*row[1:8], tuple(row[8]), *row[9:])))
    cases: dict[UUID, list[OpenCase]] = {}
    case_ids: dict[bytes, UUID] = {}
    for row in await transaction.raw.fetch(_LOAD_OPEN_CASES, wanted, CASE_RECEIPTS_MAX):
        member_id, *case, case_id = row
        cases.setdefault(member_id, []).append(OpenCase(*case))
        case_ids[row["opened_by"]] = case_id
    states = {
        member_id: MemberState(tuple(kept), tuple(cases.get(member_id, ()))) for member_id, kept in receipts.items()
    }
    return states, case_ids


async def save(transaction: Transaction, changes: Mapping[UUID, WindowChange]) -> None:
    """Make locked windows what they have become: a statement each for what went, what was marked, what came."""
    added = [(member_id, receipt) for member_id, change in changes.items() for receipt in change.added]
    marked = [(member_id, receipt) for member_id, change in changes.items() for receipt in change.marked]
    dropped = [(member_id, receipt) for member_id, change in changes.items() for receipt in change.dropped]
    if dropped:
        await transaction.raw.execute(_DROP, *_keys(dropped))
    if marked:
        fired, is_held = [_joined(receipt) for _, receipt in marked], [receipt.is_held for _, receipt in marked]
        await transaction.raw.execute(_MARK, *_keys(marked), fired, is_held)
    if added:
        await transaction.raw.execute(
            _ADD,
            *_keys(added),
            [receipt.operator_hash for _, receipt in added],
            [receipt.store_id for _, receipt in added],
            [receipt.shift_number for _, receipt in added],
            [receipt.day for _, receipt in added],
            [receipt.had_choice for _, receipt in added],
            [_joined(receipt) for _, receipt in added],
            [receipt.is_held for _, receipt in added],
        )


async def clear(transaction: Transaction, member_id: UUID, keys: Sequence[bytes]) -> None:
    """From now on these receipts of a locked window count for nothing."""
    await transaction.raw.execute(_CLEAR, member_id, keys)


def _keys(receipts: Sequence[tuple[UUID, Receipt]]) -> tuple[list[object], list[object], list[object]]:
    return (
        [member_id for member_id, _ in receipts],
        [receipt.occurred_at for _, receipt in receipts],
        [receipt.receipt_key for _, receipt in receipts],
    )


def _joined(receipt: Receipt) -> str:
    """unnest would flatten an array of arrays; rule codes hold no spaces."""
    return " ".join(receipt.fired)
