"""Cases as people read and close them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, desc, exists, select, update

from services.fraud.domain.cases import Case, CaseSignal, CaseState, HandedOver, HeldReceipt, Settlement
from services.fraud.domain.outcomes import Action
from services.fraud.domain.receipts import NOBODY
from services.fraud.tables import cases, holds, receipt_moves, signals
from shared.database import Transaction
from shared.events.fraud import CaseOutcome

_RECEIPT = (
    holds.c.receipt_key,
    holds.c.occurred_at,
    holds.c.store_id,
    holds.c.shift_number,
    holds.c.version,
    holds.c.action,
    holds.c.ends_at,
)


_HAS_GONE = (receipt_moves.c.receipt_key == holds.c.receipt_key) & (receipt_moves.c.number > holds.c.moves)
_CASE = [column for column in cases.c if column.name != "moves"]


async def find(transaction: Transaction, case_id: UUID) -> Case | None:
    """The case, without a lock."""
    row = (await transaction.connection.execute(select(*_CASE).where(cases.c.case_id == case_id))).one_or_none()
    return None if row is None else _case(row)


async def load_page(
    transaction: Transaction, *, state: CaseState | None, partner_id: str | None, after: UUID | None, rows_max: int
) -> list[Case]:
    """Cases, newest first, older than ``after``; of one state and one partner, or of all."""
    statement = select(*_CASE).order_by(desc(cases.c.case_id)).limit(rows_max)
    if state is not None:
        statement = statement.where(cases.c.state == state)
    if partner_id is not None:
        statement = statement.where(cases.c.partner_id == partner_id)
    if after is not None:
        statement = statement.where(cases.c.case_id < after)
    return [_case(row) for row in await transaction.connection.execute(statement)]


async def load_signals(transaction: Transaction, case_id: UUID, rows_max: int) -> list[CaseSignal]:
    """The case's signals, newest first."""
    found = await transaction.connection.execute(
        select(
            signals.c.signal_id,
            signals.c.receipt_key,
            signals.c.rule_code,
            signals.c.action,
            signals.c.observed,
            signals.c.threshold,
            signals.c.window_label,
            signals.c.raised_at,
        )
        .where(signals.c.case_id == case_id)
        .order_by(desc(signals.c.signal_id))
        .limit(rows_max)
    )
    return [CaseSignal(*row[:3], Action(row.action), *row[4:]) for row in found]


async def load_receipts(transaction: Transaction, case_id: UUID, rows_max: int) -> list[HeldReceipt]:
    """The receipts that were held for the case, latest purchase first."""
    found = await transaction.connection.execute(
        select(*_RECEIPT, receipt_moves.c.moved_at)
        .join_from(holds, receipt_moves, _HAS_GONE, isouter=True)
        .where(holds.c.case_id == case_id)
        .order_by(desc(holds.c.occurred_at), desc(holds.c.receipt_key))
        .limit(rows_max)
    )
    return [HeldReceipt(*row) for row in found]


async def close(
    transaction: Transaction, case_id: UUID, outcome: CaseOutcome, closed_by: str, note: str | None
) -> Case:
    """Close an open case whose member's window is locked; the case as it is now, one version higher."""
    row = (
        await transaction.connection.execute(
            update(cases)
            .where(cases.c.case_id == case_id, cases.c.state == "open")
            .values(
                state="closed",
                outcome=outcome,
                version=cases.c.version + 1,
                closed_at=transaction.now,
                closed_by=closed_by,
                note=note,
            )
            .returning(*_CASE)
        )
    ).one()
    return _case(row)


_HAND_OVER = """
    with wanted as (
        select holds.receipt_key, holds.moves, min(other.case_id::text)::uuid as case_id
        from holds
            join cases as other on other.member_id = holds.member_id and other.case_id <> holds.case_id
                and other.state = 'open'
            left join window_receipts as receipt on receipt.member_id = holds.member_id
                and receipt.occurred_at = holds.occurred_at and receipt.receipt_key = holds.receipt_key
                and receipt.moves = holds.moves
        where holds.case_id = $1
            and not exists (  -- it is another member's
                select from receipt_moves where receipt_moves.receipt_key = holds.receipt_key and number > holds.moves
            )
            and (
                receipt.operator_hash = other.operator_hash
                or (other.operator_hash = $2 and receipt.claimed_after_days is not null)
                or exists (
                    select from signals
                    where signals.case_id = other.case_id and signals.receipt_key = holds.receipt_key
                        and signals.moves = holds.moves
                )
            )
        group by holds.receipt_key, holds.moves
    ), handed as (
        update holds
        set case_id = wanted.case_id, rule_code = cases.rule_code, version = holds.version + 1, changed_at = $3
        from wanted join cases on cases.case_id = wanted.case_id
        where holds.receipt_key = wanted.receipt_key and holds.moves = wanted.moves
        returning holds.receipt_key, holds.occurred_at, holds.store_id, holds.shift_number, holds.version,
            holds.action, holds.ends_at, holds.case_id, holds.rule_code
    ), counted as (
        update cases set receipts = cases.receipts + joined.receipts
        from (select case_id, count(*)::integer as receipts from handed group by case_id) as joined
        where cases.case_id = joined.case_id
    )
    select * from handed order by receipt_key
"""


async def hand_over(transaction: Transaction, case_id: UUID) -> list[HandedOver]:
    """Give the receipts of a case, whose member's window is locked, that another open case asks for to that case.

    A case asks for the receipts of its subject, and for those that its rule fired on. Each as it is now, one version
    higher and with the end it had; of several open cases the eldest takes it.
    """
    rows = await transaction.raw.fetch(_HAND_OVER, case_id, NOBODY, transaction.now)
    return [HandedOver(HeldReceipt(*list(row.values())[:7]), row["case_id"], row["rule_code"]) for row in rows]


async def settle_holds(transaction: Transaction, case_id: UUID, settlement: Settlement) -> Sequence[HeldReceipt]:
    """Decide on all receipts of a case whose member's window is locked; each as it is now, one version higher.

    Those that are another member's since are left alone.
    """
    found = await transaction.connection.execute(
        update(holds)
        .where(holds.c.case_id == case_id, ~exists().where(_HAS_GONE))
        .values(
            version=holds.c.version + 1,
            action=settlement.action,
            ends_at=settlement.ends_at,
            changed_at=transaction.now,
        )
        .returning(*_RECEIPT)
    )
    return sorted(HeldReceipt(*row) for row in found)


def _case(row: Row[Any]) -> Case:
    return Case(**row._asdict())
