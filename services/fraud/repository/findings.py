"""Signals, cases and holds as batches write them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.fraud.domain.outcomes import Hold, NewCase, Signal
from shared.database import Transaction

_OPEN_CASES = """
    insert into cases (case_id, opened_by, member_id, operator_hash, partner_id, rule_code, state, version, receipts,
        opened_at)
    select case_id, opened_by, member_id, operator_hash, partner_id, rule_code, 'open', 1, 0, $7
    from unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::text[], $5::text[], $6::text[])
        as opened (case_id, opened_by, member_id, operator_hash, partner_id, rule_code)
"""
# Cases are under their members' locks, so that the order of these updates cannot matter.
_COUNT_RECEIPTS = """
    update cases set receipts = cases.receipts + joined.receipts
    from unnest($1::uuid[], $2::integer[]) as joined (case_id, receipts)
    where cases.case_id = joined.case_id
"""
_SAVE_SIGNALS = """
    insert into signals (signal_id, receipt_key, rule_code, member_id, action, observed, threshold, window_label,
        case_id, occurred_at, raised_at)
    select signal_id, receipt_key, rule_code, member_id, action, observed, threshold, window_label, case_id,
        occurred_at, $11
    from unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
            $9::uuid[], $10::timestamptz[])
        as raised (signal_id, receipt_key, rule_code, member_id, action, observed, threshold, window_label, case_id,
            occurred_at)
"""
_SAVE_HOLDS = """
    insert into holds (receipt_key, version, action, ends_at, case_id, member_id, rule_code, occurred_at, store_id,
        shift_number, changed_at)
    select receipt_key, 1, 'hold', $8, case_id, member_id, rule_code, occurred_at, store_id, shift_number, $9
    from unnest($1::bytea[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[])
        as held (receipt_key, case_id, member_id, rule_code, occurred_at, store_id, shift_number)
"""


async def save_cases(
    transaction: Transaction,
    cases: Sequence[NewCase],
    partners: Sequence[str],
    case_ids: Mapping[tuple[bytes, str], UUID],
) -> None:
    """Open cases, version 1 and without receipts. ``partners`` go with ``cases``; ids are by receipt and rule."""
    if cases:
        await transaction.raw.execute(
            _OPEN_CASES,
            [case_ids[case.opened_by, case.rule_code] for case in cases],
            [case.opened_by for case in cases],
            [case.member_id for case in cases],
            [case.operator_hash for case in cases],
            partners,
            [case.rule_code for case in cases],
            transaction.now,
        )


async def save_signals(
    transaction: Transaction, signals: Sequence[Signal], ids: Sequence[UUID], case_ids: Mapping[tuple[bytes, str], UUID]
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
            [None if signal.opened_by is None else case_ids[signal.opened_by, signal.rule_code] for signal in signals],
            [signal.receipt.occurred_at for signal in signals],
            transaction.now,
        )


async def save_holds(
    transaction: Transaction, holds: Sequence[Hold], case_ids: Mapping[tuple[bytes, str], UUID], ends_at: datetime
) -> None:
    """Hold receipts that were never held before, version 1, and count them in their cases."""
    if not holds:
        return
    joined: dict[UUID, int] = {}
    for hold in holds:
        case_id = case_ids[hold.opened_by, hold.rule_code]
        joined[case_id] = joined.get(case_id, 0) + 1
    await transaction.raw.execute(
        _SAVE_HOLDS,
        [hold.receipt.receipt_key for hold in holds],
        [case_ids[hold.opened_by, hold.rule_code] for hold in holds],
        [hold.member_id for hold in holds],
        [hold.rule_code for hold in holds],
        [hold.receipt.occurred_at for hold in holds],
        [hold.receipt.store_id for hold in holds],
        [hold.receipt.shift_number for hold in holds],
        ends_at,
        transaction.now,
    )
    await transaction.raw.execute(_COUNT_RECEIPTS, list(joined), list(joined.values()))
