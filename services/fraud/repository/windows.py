"""Members' windows: the lock, what is in them, and what changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias
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
_LOCK = """
    select member_id, erased_version is not null as is_erased from member_windows where member_id = any($1::uuid[])
    order by member_id
    for no key update
"""

# Sorted in Python: a member's are nearly in order already.
_LOAD_RECEIPTS = """
    select member_id, occurred_at, receipt_key, operator_hash, store_id, shift_number, day, had_choice, is_own_card,
        claimed_after_days, moves
    from window_receipts
    where member_id = any($1::uuid[])
"""
# Of each member only since the oldest receipt that is kept: a busy card has years of signals.
_LOAD_MARKS = """
    select signals.member_id, receipt_key, signals.moves, signals.rule_code, null::boolean as is_cleared
    from unnest($1::uuid[], $2::timestamptz[]) as kept (member_id, since)
        join signals on signals.member_id = kept.member_id and signals.occurred_at >= kept.since
    union all
    select holds.member_id, receipt_key, holds.moves, null, cases.outcome is not distinct from 'false_positive'
    from unnest($1::uuid[], $2::timestamptz[]) as kept (member_id, since)
        join holds on holds.member_id = kept.member_id and holds.occurred_at >= kept.since
        join cases on cases.case_id = holds.case_id
"""
_LOAD_OPEN_CASES = """
    select member_id, opened_by, operator_hash, rule_code, receipts, case_id
    from cases
    where member_id = any($1::uuid[]) and state = 'open' and receipts < $2
    order by opened_by, moves
"""

_ADD = """
    insert into window_receipts (member_id, occurred_at, receipt_key, operator_hash, store_id, shift_number, day,
        had_choice, is_own_card, claimed_after_days, moves)
    select * from unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::text[], $5::text[], $6::bigint[], $7::date[],
        $8::boolean[], $9::boolean[], $10::integer[], $11::bigint[])
"""
_DROP = """
    delete from window_receipts as receipt
    using unnest($1::uuid[], $2::timestamptz[], $3::bytea[]) as dropped (member_id, occurred_at, receipt_key)
    where receipt.member_id = dropped.member_id and receipt.occurred_at = dropped.occurred_at
        and receipt.receipt_key = dropped.receipt_key
"""


# By member, opening receipt and rule: one receipt may open a case about its operator and one about its member, and
# opens them for each member whose it is in turn.
CaseIds: TypeAlias = dict[tuple[UUID, bytes, str], UUID]

_UNMARKED = ((), False, False)  # neither fired nor held nor cleared, in the order of Receipt's fields


async def lock(transaction: Transaction, members: Iterable[UUID]) -> set[UUID]:
    """Lock these members' windows to the commit, in key order; windows that are not there yet are made.

    Those of the members who were erased come back: their windows stay empty.
    """
    wanted = sorted(set(members))
    await transaction.raw.execute(_ENSURE, wanted)
    return {member_id for member_id, is_erased in await transaction.raw.fetch(_LOCK, wanted) if is_erased}


async def load(transaction: Transaction, members: Iterable[UUID]) -> tuple[dict[UUID, MemberState], CaseIds]:
    """The states of members whose windows are locked; and the ids of their open cases."""
    wanted = list(members)
    receipts = await _load_receipts(transaction, wanted)
    cases: dict[UUID, list[OpenCase]] = {}
    case_ids: CaseIds = {}
    for row in await transaction.raw.fetch(_LOAD_OPEN_CASES, wanted, CASE_RECEIPTS_MAX):
        member_id, *case, case_id = row
        cases.setdefault(member_id, []).append(OpenCase(*case))
        case_ids[member_id, row["opened_by"], row["rule_code"]] = case_id
    states = {
        member_id: MemberState(tuple(receipts.get(member_id, ())), tuple(cases.get(member_id, ())))
        for member_id in wanted
    }
    return states, case_ids


async def save(transaction: Transaction, changes: Mapping[UUID, WindowChange]) -> None:
    """Make locked windows what they have become: one statement for what is no longer needed, one for what came."""
    added = [(member_id, receipt) for member_id, change in changes.items() for receipt in change.added]
    dropped = [(member_id, receipt) for member_id, change in changes.items() for receipt in change.dropped]
    if dropped:
        await transaction.raw.execute(_DROP, *_keys(dropped))
    if added:
        await transaction.raw.execute(
            _ADD,
            *_keys(added),
            [receipt.operator_hash for _, receipt in added],
            [receipt.store_id for _, receipt in added],
            [receipt.shift_number for _, receipt in added],
            [receipt.day for _, receipt in added],
            [receipt.had_choice for _, receipt in added],
            [receipt.is_own_card for _, receipt in added],
            [receipt.claimed_after_days for _, receipt in added],
            [receipt.moves for _, receipt in added],
        )


async def _load_receipts(transaction: Transaction, members: list[UUID]) -> dict[UUID, list[Receipt]]:
    """In event order, with what became of each."""
    receipts: dict[UUID, list[Receipt]] = {}
    for row in await transaction.raw.fetch(_LOAD_RECEIPTS, members):
        receipts.setdefault(row[0], []).append(Receipt._make(row[1:] + _UNMARKED))
    for kept in receipts.values():
        kept.sort()
    since = [kept[0].occurred_at for kept in receipts.values()]
    marks: dict[UUID, dict[bytes, Receipt]] = {}
    for member_id, receipt_key, moves, rule_code, is_cleared in await transaction.raw.fetch(
        _LOAD_MARKS, list(receipts), since
    ):
        of_member = marks.get(member_id)
        if of_member is None:
            of_member = marks[member_id] = {receipt.receipt_key: receipt for receipt in receipts[member_id]}
        receipt = of_member.get(receipt_key)
        if receipt is None:
            continue  # younger than the oldest that is kept, and yet not kept: more receipts than a window has room for
        if receipt.moves != moves:
            continue  # of the time before it went to somebody else and came back
        if rule_code is None:
            of_member[receipt_key] = receipt._replace(is_held=True, is_cleared=is_cleared)
        else:
            of_member[receipt_key] = receipt.with_fired(rule_code)
    return receipts | {member_id: list(of_member.values()) for member_id, of_member in marks.items()}


def _keys(receipts: Sequence[tuple[UUID, Receipt]]) -> tuple[list[object], list[object], list[object]]:
    return (
        [member_id for member_id, _ in receipts],
        [receipt.occurred_at for _, receipt in receipts],
        [receipt.receipt_key for _, receipt in receipts],
    )
