"""Writes a plan, in one statement.

What repeats is sent once and pointed at: a batch has thousands of transfers and a dozen kinds of them. Columns in
which nothing stands are sent empty; ``unnest`` fills them with nulls.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from shared.database.engine import RawConnection
from shared.database.later import Write, dense
from shared.ledger.conditions import write_funding, write_limits
from shared.ledger.legs import Legs
from shared.ledger.planning import Plan
from shared.ledger.records import Hold, Lot, Transfer
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
            (account_id, lot_key, issuer, basis, available_from, expires_on, funding, limits, award, remaining,
            reserved)
        select account_id, lot_key, ($6::text[])[terms], ($7::text[])[terms], ($8::date[])[terms], ($9::date[])[terms],
            ($10::text[])[terms], ($11::text[])[terms], award, coalesce(remaining, 0), coalesce(reserved, 0)
        from unnest($12::bigint[], $13::bytea[], $14::integer[], $15::bytea[], $16::bigint[], $17::bigint[])
            as credit (account_id, lot_key, terms, award, remaining, reserved)
        on conflict (account_id, lot_key) do update  -- was not read: what arrives is added
            set remaining = ledger_lots.remaining + excluded.remaining,
                reserved = ledger_lots.reserved + excluded.reserved
    )"""

# Numbers are drawn in the order of the arrays: an account's transfers have rising ids in the order of posting.
_RECORD_TRANSFERS = """
    insert into ledger_transfers
        (account_id, purpose, debit, credit, partner_id, points, reference, debit_lot, credit_lot, hold_id,
        business_time)
    select account_id, ($18::text[])[kind], ($19::text[])[kind], ($20::text[])[kind], ($21::text[])[kind], points,
        reference, debit_lot, credit_lot, hold_id, $29::timestamptz
    from unnest($22::bigint[], $23::integer[], $24::bigint[], $25::bytea[], $26::bytea[], $27::bytea[], $28::uuid[])
        as transfer (account_id, kind, points, reference, debit_lot, credit_lot, hold_id)
"""

# Lots and holds that were read are there, and would do with an update. An upsert names its index, though: a join may be
# planned as a scan while the table is small, and the plan is kept while it grows.
_CHANGE_LOTS = """
    changed_lots as (
        insert into ledger_lots
            (account_id, lot_key, issuer, basis, available_from, expires_on, award, remaining, reserved)
        select account_id, lot_key, ($30::text[])[terms], ($31::text[])[terms], ($32::date[])[terms],
            ($33::date[])[terms], award, coalesce(remaining, 0), coalesce(reserved, 0)
        from unnest($34::bigint[], $35::bytea[], $36::integer[], $37::bytea[], $38::bigint[], $39::bigint[])
            as change (account_id, lot_key, terms, award, remaining, reserved)
        on conflict (account_id, lot_key) do update  -- was read under the lock: the amounts are what is left
            set remaining = excluded.remaining, reserved = excluded.reserved
    )"""

# A hold that is there already violates the primary key, and everything with it is undone.
_OPEN_HOLDS = """
    opened_holds as (
        insert into ledger_holds (hold_id, account_id, reserved, captured, state, opened_at, closed_at)
        select hold_id, account_id, reserved, captured, state, $29::timestamptz,
            case when state <> 'open' then $29::timestamptz end
        from unnest($40::uuid[], $41::bigint[], $42::bigint[], $43::bigint[], $44::text[])
            as hold (hold_id, account_id, reserved, captured, state)
    )"""

_CHANGE_HOLDS = """
    changed_holds as (
        insert into ledger_holds (hold_id, account_id, reserved, captured, state, opened_at, closed_at)
        select hold_id, account_id, reserved, captured, state, $29::timestamptz,
            case when state <> 'open' then $29::timestamptz end
        from unnest($45::uuid[], $46::bigint[], $47::bigint[], $48::bigint[], $49::text[])
            as change (hold_id, account_id, reserved, captured, state)
        on conflict (hold_id) do update
            set reserved = excluded.reserved, captured = excluded.captured, state = excluded.state,
                closed_at = coalesce(ledger_holds.closed_at, excluded.closed_at)
    )"""

_HOLD_LOTS = """
    hold_lots as (
        insert into ledger_hold_lots (hold_id, account_id, lot_key, reserved, captured, refunded)
        select hold_id, account_id, lot_key, reserved, captured, refunded
        from unnest($50::uuid[], $51::bigint[], $52::bytea[], $53::bigint[], $54::bigint[], $55::bigint[])
            as part (hold_id, account_id, lot_key, reserved, captured, refunded)
        on conflict (hold_id, lot_key) do update
            set reserved = excluded.reserved, captured = excluded.captured, refunded = excluded.refunded
    )"""

_OWE = """
    new_debts as (
        insert into ledger_debts (account_id, issuer, reference, owed_since, owed)
        select account_id, issuer, reference, coalesce(owed_since, $29::timestamptz), owed
        from unnest($57::bigint[], $58::text[], $59::bytea[], $60::timestamptz[], $61::bigint[])
            as debt (account_id, issuer, reference, owed_since, owed)
    )"""

_PAY = """
    changed_debts as (
        insert into ledger_debts (account_id, debt_id, issuer, reference, owed_since, owed)
        select account_id, debt_id, issuer, reference, owed_since, owed
        from unnest($62::bigint[], $63::bigint[], $64::text[], $65::bytea[], $66::timestamptz[], $67::bigint[])
            as change (account_id, debt_id, issuer, reference, owed_since, owed)
        on conflict (account_id, debt_id) do update set owed = excluded.owed
    )"""

# The same where a transfer may go to another account: a merge, what a hold of a merged account gives back, or a gift.
_RECORD_ANY_TRANSFERS = """
    insert into ledger_transfers
        (account_id, purpose, debit, credit, partner_id, points, reference, debit_lot, credit_lot, hold_id,
        business_time, credit_account_id)
    select account_id, ($18::text[])[kind], ($19::text[])[kind], ($20::text[])[kind], ($21::text[])[kind], points,
        reference, debit_lot, credit_lot, hold_id, $29::timestamptz, credit_account_id
    from unnest($22::bigint[], $23::integer[], $24::bigint[], $25::bytea[], $26::bytea[], $27::bytea[], $28::uuid[],
        $56::bigint[]) as transfer
            (account_id, kind, points, reference, debit_lot, credit_lot, hold_id, credit_account_id)
"""

# What lapsed in passing waits here until whoever publishes such events has told of it.
RECORD_LAPSES = """
    insert into ledger_lapses (account_id, lot_key, points)
    select account_id, lot_key, points from unnest($1::bigint[], $2::bytea[], $3::bigint[])
        as lapsed (account_id, lot_key, points)
    on conflict (account_id, lot_key) do update set points = ledger_lapses.points + excluded.points
"""

# The two differ only in what plain earning never needs; PostgreSQL would start those parts for nothing each time.
WRITE_CREDITS = f"with {_CHANGE_ACCOUNTS}, {_CREDIT_LOTS} {_RECORD_TRANSFERS}"
# What a new hold writes, alone, or one of which something is taken or let go: it goes out together with what else its
# transaction writes.
_OPENED, _CHANGED = [
    dense(f"{_CHANGE_ACCOUNTS}, {_CHANGE_LOTS}, {holds}, {_HOLD_LOTS}", _RECORD_TRANSFERS)
    for holds in (_OPEN_HOLDS, _CHANGE_HOLDS)
]
WRITE_ALL = (
    f"with {_CHANGE_ACCOUNTS}, {_CREDIT_LOTS}, {_CHANGE_LOTS}, {_OPEN_HOLDS}, {_CHANGE_HOLDS}, {_HOLD_LOTS},"
    f" {_OWE}, {_PAY} {_RECORD_ANY_TRANSFERS}"
)


async def write(connection: RawConnection, plan: Plan, now: datetime, *, is_between_owners: bool = False) -> None:
    """Write a plan that was made from rows read under their accounts' lock. The constraints have the last word.

    What lapsed in passing is noted with it. ``is_between_owners``: transfers may go between accounts though no lot or
    hold that was read has changed.
    """
    if plan.lapsed:
        await connection.execute(RECORD_LAPSES, *_columns(plan.lapsed, 3))
    arguments = _credit_arguments(plan, now)
    if not is_between_owners and _is_credit_alone(plan):
        await connection.execute(WRITE_CREDITS, *arguments)
        return
    await connection.execute(WRITE_ALL, *arguments, *_other_arguments(plan))


def holds_written_later(plan: Plan, now: datetime) -> list[Write] | None:
    """What a plan writes that opens holds, or takes or lets go what holds reserve, and does no more, but for what
    lapses first; None for any other plan."""
    if plan.credited_lots or plan.new_debts or plan.stored_debts or (plan.new_holds and plan.stored_holds):
        return None
    if any(transfer.credit_account_id for transfer in plan.transfers):
        return None
    (beside, transfers), numbers = _CHANGED if plan.stored_holds else _OPENED
    arguments = [*_credit_arguments(plan, now), *_other_arguments(plan)]
    holds = Write(transfers, [arguments[number - 1] for number in numbers], (beside,))
    return [holds, Write(RECORD_LAPSES, _columns(plan.lapsed, 3))] if plan.lapsed else [holds]


def _credit_arguments(plan: Plan, now: datetime) -> list[object]:
    """Of ``WRITE_CREDITS``: the first of ``WRITE_ALL``."""
    terms, credited = _lot_columns(plan.credited_lots)
    return [
        *_sparse_columns(plan.accounts, 5),
        *_terms_columns(terms),
        *_conditions_columns(terms),
        *credited,
        *_transfer_columns(plan.transfers),
        now,
    ]


def _other_arguments(plan: Plan) -> list[object]:
    """The rest of ``WRITE_ALL``'s."""
    terms, stored = _lot_columns(plan.stored_lots)
    credit_accounts = [transfer.credit_account_id for transfer in plan.transfers]
    return [
        *_terms_columns(terms),
        *stored,
        *_hold_columns(plan.new_holds),
        *_hold_columns(plan.stored_holds),
        *_part_columns([*plan.new_holds, *plan.stored_holds]),
        credit_accounts if any(credit_accounts) else (),
        *_debt_columns(plan),
    ]


def _is_credit_alone(plan: Plan) -> bool:
    """Whether nothing that was read has changed but accounts, as by earning without a debt."""
    return not (plan.stored_lots or plan.new_holds or plan.stored_holds or plan.new_debts or plan.stored_debts)


def _lot_columns(lots: Sequence[Lot]) -> tuple[list[LotTerms], list[Column]]:
    """The terms of these lots, each once, and the lots."""
    terms: dict[bytes, LotTerms] = {}
    numbers: dict[bytes, int] = {}
    rows = []
    for lot in lots:
        terms_key = lot.terms.key
        if terms_key not in numbers:
            terms[terms_key] = lot.terms
            numbers[terms_key] = len(numbers) + 1
        rows.append((lot.account_id, lot.key, numbers[terms_key], lot.award, lot.remaining, lot.reserved))
    return list(terms.values()), _sparse_columns(rows, 6)


def _terms_columns(terms: Sequence[LotTerms]) -> list[Column]:
    return _columns([(one.issuer, one.basis, one.available_from, one.expires_on) for one in terms], 4)


def _conditions_columns(terms: Sequence[LotTerms]) -> list[Column]:
    """Funding and limits: of a lot that was read they are there, and are not written again."""
    rows = [(one.funding and write_funding(one.funding), one.limits and write_limits(one.limits)) for one in terms]
    return _sparse_columns(rows, 2)


def _transfer_columns(transfers: Sequence[Transfer]) -> list[Column]:
    numbers: dict[tuple[Legs, str | None], int] = {}
    rows = [
        (account_id, numbers.setdefault((legs, partner), len(numbers) + 1), points, reference, debit, credit, hold_id)
        for account_id, legs, partner, points, reference, debit, credit, hold_id, _ in transfers
    ]
    kinds = [(*legs, partner_id) for legs, partner_id in numbers]
    return _columns(kinds, 4) + _sparse_columns(rows, 7)


def _hold_columns(holds: Sequence[Hold]) -> list[Column]:
    return _columns([(hold.hold_id, hold.account_id, hold.reserved, hold.captured, hold.state) for hold in holds], 5)


def _part_columns(holds: Sequence[Hold]) -> list[Column]:
    parts = [
        (hold.hold_id, hold.account_id, part.lot.key, part.reserved, part.captured, part.refunded)
        for hold in holds
        for part in hold.parts
    ]
    return _columns(parts, 6)


def _debt_columns(plan: Plan) -> list[Column]:
    new = [(debt.account_id, debt.issuer, debt.reference, debt.owed_since, debt.owed) for debt in plan.new_debts]
    stored = [debt.stored._replace(owed=debt.owed) for debt in plan.stored_debts if debt.stored is not None]
    return _columns(new, 5) + _columns(stored, 6)


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[Column]:
    """Rows turned into one array a column."""
    return list(zip(*rows, strict=True)) or [()] * width


def _sparse_columns(rows: Sequence[Sequence[object]], width: int) -> list[Column]:
    """The same, for statements that read a missing value as zero or null: a column of nothing but those is empty."""
    return [column if any(column) else () for column in _columns(rows, width)]
