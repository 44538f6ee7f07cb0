"""Signals, cases and holds as batches write them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.fraud.domain.outcomes import Hold, NewCase, Signal
from services.fraud.repository.windows import CaseIds
from shared.database import Transaction

_OPEN_CASES = """
    insert into cases (case_id, opened_by, member_id, operator_hash, partner_id, rule_code, moves, state, version,
        receipts, opened_at)
    select case_id, opened_by, member_id, operator_hash, partner_id, rule_code, moves, 'open', 1, 0, $8
    from unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[])
        as opened (case_id, opened_by, member_id, operator_hash, partner_id, rule_code, moves)
"""
# Cases are under their members' locks, so that the order of these updates cannot matter.
_COUNT_RECEIPTS = """
    update cases set receipts = cases.receipts + joined.receipts
    from unnest($1::uuid[], $2::integer[]) as joined (case_id, receipts)
    where cases.case_id = joined.case_id
"""
_SAVE_SIGNALS = """
    insert into signals (signal_id, receipt_key, rule_code, member_id, action, observed, threshold, window_label,
        case_id, occurred_at, moves, raised_at)
    select signal_id, receipt_key, rule_code, member_id, action, observed, threshold, window_label, case_id,
        occurred_at, moves, $12
    from unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
            $9::uuid[], $10::timestamptz[], $11::bigint[])
        as raised (signal_id, receipt_key, rule_code, member_id, action, observed, threshold, window_label, case_id,
            occurred_at, moves)
"""
_SAVE_HOLDS = """
    insert into holds (receipt_key, moves, version, action, ends_at, case_id, member_id, rule_code, occurred_at,
        store_id, shift_number, changed_at)
    select receipt_key, moves,
        -- One that was held while it was another member's goes on from there: the higher version wins everywhere.
        1 + coalesce((select max(version) from holds as before where before.receipt_key = held.receipt_key), 0),
        'hold', $9, case_id, member_id, rule_code, occurred_at, store_id, shift_number, $10
    from unnest($1::bytea[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[],
            $8::bigint[])
        as held (receipt_key, case_id, member_id, rule_code, occurred_at, store_id, shift_number, moves)
    returning receipt_key, version
"""


async def save_cases(
    transaction: Transaction,
    cases: Sequence[NewCase],
    partners: Sequence[str],
    case_ids: CaseIds,
) -> None:
    """Open cases, version 1 and without receipts. ``partners`` go with ``cases``."""
    if cases:
        await transaction.raw.execute(
            _OPEN_CASES,
            [case_ids[case.member_id, case.opened_by, case.rule_code] for case in cases],
            [case.opened_by for case in cases],
            [case.member_id for case in cases],
            [case.operator_hash for case in cases],
            partners,
            [case.rule_code for case in cases],
            [case.moves for case in cases],
            transaction.now,
        )


async def save_signals(
    transaction: Transaction, signals: Sequence[Signal], ids: Sequence[UUID], case_ids: CaseIds
) -> None:
    """Record signals; ``ids`` go with them."""
    if signals:
        await transaction.raw.execute(
            _SAVE_SIGNALS,
            ids,
            [signal.receipt.receipt_key for signal in signals],
            [signal.rule_code for signal in signals],
            [signal.member_id for signal in signals],
            [signal.action.value for signal in signals],
            [signal.observed for signal in signals],
            [signal.threshold for signal in signals],
            [signal.window for signal in signals],
            [_case_of(signal, case_ids) for signal in signals],
            [signal.receipt.occurred_at for signal in signals],
            [signal.receipt.moves for signal in signals],
            transaction.now,
        )


async def save_holds(
    transaction: Transaction, holds: Sequence[Hold], case_ids: CaseIds, ends_at: datetime
) -> dict[bytes, int]:
    """Hold receipts that were never held before for their member, and count them in their cases; each one's version.

    It is 1, unless the receipt was held while it was another member's.
    """
    if not holds:
        return {}
    joined: dict[UUID, int] = {}
    for hold in holds:
        case_id = case_ids[hold.member_id, hold.opened_by, hold.rule_code]
        joined[case_id] = joined.get(case_id, 0) + 1
    rows = await transaction.raw.fetch(
        _SAVE_HOLDS,
        [hold.receipt.receipt_key for hold in holds],
        [case_ids[hold.member_id, hold.opened_by, hold.rule_code] for hold in holds],
        [hold.member_id for hold in holds],
        [hold.rule_code for hold in holds],
        [hold.receipt.occurred_at for hold in holds],
        [hold.receipt.store_id for hold in holds],
        [hold.receipt.shift_number for hold in holds],
        [hold.receipt.moves for hold in holds],
        ends_at,
        transaction.now,
    )
    await transaction.raw.execute(_COUNT_RECEIPTS, list(joined), list(joined.values()))
    return {row["receipt_key"]: row["version"] for row in rows}


def _case_of(signal: Signal, case_ids: CaseIds) -> UUID | None:
    if signal.opened_by is None:
        return None
    return case_ids[signal.member_id, signal.opened_by, signal.rule_code]
