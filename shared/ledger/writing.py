"""Writes a plan, in one statement.

What repeats is sent once and pointed at: a batch has thousands of transfers and a dozen kinds of them. Columns in
which nothing stands are sent empty; ``unnest`` fills them with nulls.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from shared.database.engine import RawConnection
from shared.ledger.book import Hold, Lot, Transfer
from shared.ledger.legs import Legs
from shared.ledger.planning import Plan
from shared.ledger.terms import LotTerms

Column: TypeAlias = Sequence[object]

_CHANGE_ACCOUNTS = """
    changed_accounts as (
        update ledger_accounts as account
        set available = account.available + coalesce(change.available, 0),
            held = account.held + coalesce(change.held, 0),
            pending = account.pending + coalesce(change.pending, 0),
            debt = account.debt + coalesce(change.debt, 0)
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
            as change (account_id, available, held, pending, debt)
        where account.account_id = change.account_id
    )"""

_CREDIT_LOTS = """
    credited_lots as (
        insert into ledger_lots
            (account_id, lot_key, issuer, basis, available_from, expires_on, award, remaining, reserved)
        select account_id, lot_key, ($6::text[])[terms], ($7::text[])[terms], ($8::date[])[terms], ($9::date[])[terms],
            award, coalesce(remaining, 0), coalesce(reserved, 0)
        from unnest($10::bigint[], $11::bytea[], $12::integer[], $13::bytea[], $14::bigint[], $15::bigint[])
            as credit (account_id, lot_key, terms, award, remaining, reserved)
        on conflict (account_id, lot_key) do update
            set remaining = ledger_lots.remaining + excluded.remaining,
                reserved = ledger_lots.reserved + excluded.reserved
    )"""

# Numbers are drawn in the order of the arrays: an account's transfers have rising ids in the order of posting.
_RECORD_TRANSFERS = """
    insert into ledger_transfers
        (account_id, purpose, debit, credit, partner_id, points, reference, debit_lot, credit_lot, hold_id,
        business_time)
    select account_id, ($16::text[])[kind], ($17::text[])[kind], ($18::text[])[kind], ($19::text[])[kind], points,
        reference, debit_lot, credit_lot, hold_id, $27::timestamptz
    from unnest($20::bigint[], $21::integer[], $22::bigint[], $23::bytea[], $24::bytea[], $25::bytea[], $26::uuid[])
        as transfer (account_id, kind, points, reference, debit_lot, credit_lot, hold_id)
"""

_CHANGE_LOTS = """
    changed_lots as (
        update ledger_lots as lot
        set remaining = lot.remaining + coalesce(change.remaining, 0),
            reserved = lot.reserved + coalesce(change.reserved, 0)
        from unnest($28::bigint[], $29::bytea[], $30::bigint[], $31::bigint[])
            as change (account_id, lot_key, remaining, reserved)
        where lot.account_id = change.account_id and lot.lot_key = change.lot_key
    )"""

# A hold that is there already violates the primary key, and everything with it is undone.
_OPEN_HOLDS = """
    opened_holds as (
        insert into ledger_holds (hold_id, account_id, reserved, captured, state, opened_at, closed_at)
        select hold_id, account_id, reserved, captured, state, $27::timestamptz,
            case when state <> 'open' then $27::timestamptz end
        from unnest($32::uuid[], $33::bigint[], $34::bigint[], $35::bigint[], $36::text[])
            as hold (hold_id, account_id, reserved, captured, state)
    )"""

_CHANGE_HOLDS = """
    changed_holds as (
        update ledger_holds as hold
        set reserved = change.reserved, captured = change.captured, state = change.state,
            closed_at = case when change.state <> 'open' then $27::timestamptz end
        from unnest($37::uuid[], $38::bigint[], $39::bigint[], $40::text[])
            as change (hold_id, reserved, captured, state)
        where hold.hold_id = change.hold_id
    )"""

_HOLD_LOTS = """
    hold_lots as (
        insert into ledger_hold_lots (hold_id, account_id, lot_key, reserved, captured)
        select hold_id, account_id, lot_key, reserved, captured
        from unnest($41::uuid[], $42::bigint[], $43::bytea[], $44::bigint[], $45::bigint[])
            as part (hold_id, account_id, lot_key, reserved, captured)
        on conflict (hold_id, lot_key) do update
            set reserved = excluded.reserved, captured = excluded.captured
    )"""

# The two differ only in what plain earning never needs; PostgreSQL would start those parts for nothing each time.
WRITE_CREDITS = f"with {_CHANGE_ACCOUNTS}, {_CREDIT_LOTS} {_RECORD_TRANSFERS}"
WRITE_ALL = (
    f"with {_CHANGE_ACCOUNTS}, {_CREDIT_LOTS}, {_CHANGE_LOTS}, {_OPEN_HOLDS}, {_CHANGE_HOLDS}, {_HOLD_LOTS}"
    f" {_RECORD_TRANSFERS}"
)


async def write(connection: RawConnection, plan: Plan, now: datetime) -> None:
    """Write a plan. Amounts are added to what is there; the tables' constraints have the last word."""
    arguments: list[object] = [
        *_sparse_columns(plan.accounts, 5),
        *_lot_columns(plan.credited_lots),
        *_transfer_columns(plan.transfers),
        now,
    ]
    if not plan.stored_lots and not plan.new_holds and not plan.stored_holds:
        await connection.execute(WRITE_CREDITS, *arguments)
        return
    arguments += _sparse_columns([_change_of(lot) for lot in plan.stored_lots], 4)
    arguments += _hold_columns(plan.new_holds, plan.stored_holds)
    await connection.execute(WRITE_ALL, *arguments)


def _lot_columns(lots: Sequence[Lot]) -> list[Column]:
    numbers: dict[LotTerms, int] = {}
    rows = [
        (
            lot.account_id,
            lot.key,
            numbers.setdefault(lot.terms, len(numbers) + 1),
            lot.award,
            lot.remaining,
            lot.reserved,
        )
        for lot in lots
    ]
    terms = [(one.issuer, one.basis, one.available_from, one.expires_on) for one in numbers]
    return _columns(terms, 4) + _sparse_columns(rows, 6)


def _transfer_columns(transfers: Sequence[Transfer]) -> list[Column]:
    numbers: dict[tuple[Legs, str | None], int] = {}
    rows = [
        (account_id, numbers.setdefault((legs, partner), len(numbers) + 1), points, reference, debit, credit, hold_id)
        for account_id, legs, partner, points, reference, debit, credit, hold_id in transfers
    ]
    kinds = [(*legs, partner_id) for legs, partner_id in numbers]
    return _columns(kinds, 4) + _sparse_columns(rows, 7)


def _hold_columns(new: Sequence[Hold], stored: Sequence[Hold]) -> list[Column]:
    parts = [
        (hold.hold_id, hold.account_id, part.lot.key, part.reserved, part.captured)
        for hold in (*new, *stored)
        for part in hold.parts
    ]
    return [
        *_columns([(hold.hold_id, hold.account_id, hold.reserved, hold.captured, hold.state) for hold in new], 5),
        *_columns([(hold.hold_id, hold.reserved, hold.captured, hold.state) for hold in stored], 4),
        *_columns(parts, 5),
    ]


def _change_of(lot: Lot) -> tuple[int, bytes, int, int]:
    before_remaining, before_reserved = (lot.stored.remaining, lot.stored.reserved) if lot.stored else (0, 0)
    return lot.account_id, lot.key, lot.remaining - before_remaining, lot.reserved - before_reserved


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[Column]:
    """Rows turned into one array a column."""
    return list(zip(*rows, strict=True)) or [()] * width


def _sparse_columns(rows: Sequence[Sequence[object]], width: int) -> list[Column]:
    """The same, for statements that read a missing value as zero or null: a column of nothing but those is empty."""
    return [column if any(column) else () for column in _columns(rows, width)]
